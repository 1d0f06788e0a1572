"""Hits on links that are still to be judged, and the clicks and opens that were a program's."""

import django.db.models.deletion
from django.db import migrations, models

REASONS = [
    ("head", "only asked whether the page exists"),
    ("prefetch", "loaded ahead, in case somebody clicks"),
    ("agent", "says itself that it is a program"),
    ("headers", "names no language, as every browser does"),
    ("speed", "within seconds after delivery"),
    ("burst", "many links in the same seconds"),
]


class Migration(migrations.Migration):
    dependencies = [("mailings", "0013_link_checks")]

    operations = [
        migrations.CreateModel(
            name="Hit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message_id", models.BigIntegerField()),
                ("position", models.PositiveSmallIntegerField()),
                ("hit_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=8)),
            ],
            options={"indexes": [models.Index(fields=["message_id", "hit_at"], name="hit_of_message")]},
        ),
        migrations.CreateModel(
            name="MachineClick",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("clicked_at", models.DateTimeField(verbose_name="when")),
                ("reason", models.CharField(choices=REASONS, max_length=8, verbose_name="reason")),
                (
                    "link",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="machine_clicks",
                        to="mailings.link",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="machine_clicks",
                        to="mailings.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "click by a program",
                "verbose_name_plural": "clicks by programs",
                "indexes": [models.Index(fields=["link", "reason"], name="machine_click_of_link")],
            },
        ),
        migrations.AddField(
            model_name="mailing",
            name="machine_open_count",
            field=models.PositiveIntegerField(default=0, verbose_name="opens by programs"),
        ),
    ]
