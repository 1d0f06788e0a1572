"""A letter that was printed again after moving keeps both addresses: what comes back is judged by the one on it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0034_counts_of_mailings_that_are_over")]

    operations = [
        migrations.AddField(
            model_name="printedletter",
            name="later_keys",
            field=models.JSONField(db_default={}, default=dict, verbose_name="later addresses"),
        ),
        migrations.AddField(
            model_name="postreturn",
            name="again",
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name="time printed again"),
        ),
    ]
