import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0018_versions_and_drafts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SentTest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject", models.CharField(max_length=250, verbose_name="subject")),
                ("audience", models.CharField(blank=True, max_length=40, verbose_name="audience")),
                ("as_customer", models.BooleanField(default=False, verbose_name="as a customer")),
                (
                    "state",
                    models.CharField(
                        choices=[("sent", "Sent"), ("failed", "Failed")], max_length=8, verbose_name="state"
                    ),
                ),
                ("reply", models.CharField(blank=True, max_length=200, verbose_name="answer of the mail server")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                (
                    "content",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tests", to="mailings.content"
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "sent_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "test",
                "verbose_name_plural": "tests",
                "indexes": [models.Index(fields=["content", "-sent_at"], name="tests_of_content")],
            },
        )
    ]
