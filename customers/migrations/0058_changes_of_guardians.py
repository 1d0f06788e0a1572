"""Changes that are about a parent, found without reading all changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0057_sums_from_an_index")]

    operations = [
        migrations.AddIndex(
            model_name="customerchange",
            index=models.Index(
                condition=models.Q(("fields__has_key", "guardian")), fields=["id"], name="change_of_guardian"
            ),
        ),
    ]
