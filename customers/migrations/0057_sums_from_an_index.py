"""What facts of a year or two add up to per customer is told by an index, without a look at the facts themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0056_boxes_of_places")]

    operations = [
        migrations.RemoveIndex(model_name="fact", name="fact_of_kind"),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(fields=["kind", "occurred_at"], include=("customer", "quantity"), name="fact_of_kind"),
        ),
        migrations.AddIndex(
            model_name="fact",
            index=models.Index(
                condition=models.Q(("amount_cents", 0), _negated=True),
                fields=["kind", "occurred_at"],
                include=("customer", "amount_cents"),
                name="fact_with_amount",
            ),
        ),
    ]
