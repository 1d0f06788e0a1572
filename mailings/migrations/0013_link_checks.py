from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailings", "0012_bounces")]

    operations = [
        migrations.CreateModel(
            name="LinkCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True, verbose_name="digest")),
                ("url", models.TextField(verbose_name="address")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Being looked up"),
                            ("fine", "Answers"),
                            ("broken", "No page there"),
                            ("unreachable", "Did not answer"),
                            ("internal", "In a closed network"),
                        ],
                        default="waiting",
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                ("detail", models.CharField(blank=True, max_length=200, verbose_name="answer")),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                ("checked_at", models.DateTimeField(blank=True, null=True, verbose_name="looked up at")),
            ],
            options={
                "verbose_name": "link check",
                "verbose_name_plural": "link checks",
                "indexes": [
                    models.Index(
                        condition=models.Q(("checked_at__isnull", True)),
                        fields=["asked_at"],
                        name="link_check_waiting",
                    )
                ],
            },
        )
    ]
