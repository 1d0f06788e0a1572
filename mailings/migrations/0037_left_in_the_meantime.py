"""A message is withdrawn when its reader met the condition for leaving the campaign while it waited."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0036_notices_to_staff")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="withdrawn_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("no_permission", "Said no in the meantime"),
                    ("suppressed", "Address blocked in the meantime"),
                    ("no_address", "Address taken away in the meantime"),
                    ("cancelled", "Mailing cancelled"),
                    ("gave_way", "Gave way to a mailing of higher priority"),
                    ("left", "Met the condition for leaving in the meantime"),
                ],
                max_length=16,
                verbose_name="why withdrawn",
            ),
        ),
    ]
