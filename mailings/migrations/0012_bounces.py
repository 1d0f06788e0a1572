"""What mail servers and readers' programs report about mail that was sent."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0011_control_groups")]

    operations = [
        migrations.CreateModel(
            name="Bounce",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.CharField(blank=True, max_length=254, verbose_name="address")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("hard", "The address does not exist"),
                            ("soft", "Not delivered this time"),
                            ("complaint", "Reported as spam"),
                            ("delayed", "Delayed, still being tried"),
                            ("auto_reply", "Automatic reply"),
                            ("unknown", "Could not be read"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("status", models.CharField(blank=True, max_length=12, verbose_name="status")),
                ("detail", models.CharField(blank=True, max_length=300, verbose_name="explanation")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("mailbox", "Mailbox"),
                            ("smtp", "Own mail entrance"),
                            ("provider", "Mail provider"),
                        ],
                        max_length=8,
                        verbose_name="came by",
                    ),
                ),
                ("received_at", models.DateTimeField(verbose_name="received")),
                ("key", models.CharField(max_length=64, unique=True)),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bounces",
                        to="mailings.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "bounce",
                "verbose_name_plural": "bounces",
                "ordering": ["-received_at", "-id"],
                "indexes": [
                    models.Index(fields=["address", "received_at"], name="bounce_of_address"),
                    models.Index(fields=["-received_at", "-id"], name="bounce_by_time"),
                ],
            },
        ),
    ]
