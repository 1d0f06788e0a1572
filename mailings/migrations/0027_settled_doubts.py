"""What staff decide about messages in doubt is kept, with who decided it."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0026_text_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Settlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("sent", "Was sent"),
                            ("again", "Sent again"),
                            ("dropped", "Not sent, and not tried again"),
                        ],
                        max_length=8,
                        verbose_name="decision",
                    ),
                ),
                ("reply", models.CharField(blank=True, max_length=300, verbose_name="what was known")),
                ("settled_at", models.DateTimeField(verbose_name="when")),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settlements",
                        to="mailings.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "settled_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "settled doubt",
                "verbose_name_plural": "settled doubts",
                "ordering": ["-settled_at", "-id"],
                "indexes": [models.Index(fields=["-settled_at", "-id"], name="settled_latest_first")],
            },
        ),
    ]
