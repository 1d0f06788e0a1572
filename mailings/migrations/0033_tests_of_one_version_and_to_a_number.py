"""A test that was sent names the version it was of, or the end of the telephone number it went to."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0032_text_messages_by_number")]

    operations = [
        migrations.AddField(
            model_name="senttest",
            name="arm",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="mailings.arm",
                verbose_name="version",
            ),
        ),
        migrations.AddField(
            model_name="senttest",
            name="number_ending",
            field=models.CharField(blank=True, db_default="", max_length=4, verbose_name="number ends in"),
        ),
    ]
