"""How often each reason to unsubscribe was given."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0014_machine_clicks")]

    operations = [
        migrations.CreateModel(
            name="UnsubscribeReason",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("too_much", "I get too many messages"),
                            ("not_for_me", "The subjects are not for me"),
                            ("never_asked", "I never asked for this"),
                            ("no_customer", "I am no customer any more"),
                            ("elsewhere", "I follow you in another way"),
                            ("other", "Another reason"),
                        ],
                        max_length=12,
                        verbose_name="reason",
                    ),
                ),
                ("count", models.PositiveIntegerField(default=0, verbose_name="times")),
                (
                    "mailing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unsubscribe_reasons",
                        to="mailings.mailing",
                    ),
                ),
            ],
            options={
                "verbose_name": "reason to unsubscribe",
                "verbose_name_plural": "reasons to unsubscribe",
                "ordering": ["-count", "reason"],
                "constraints": [models.UniqueConstraint(fields=("mailing", "reason"), name="unsubscribe_reason_once")],
            },
        ),
    ]
