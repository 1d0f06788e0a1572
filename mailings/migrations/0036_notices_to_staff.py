"""Staff are told by mail when something that they planned has stopped by itself."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailings", "0035_letters_printed_again_to_another_address"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StaffNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=80, unique=True, verbose_name="key")),
                ("name", models.CharField(max_length=250, verbose_name="name")),
                ("reason", models.TextField(verbose_name="reason")),
                ("page", models.CharField(max_length=200, verbose_name="page")),
                ("tries", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("asked_at", models.DateTimeField(verbose_name="asked at")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={"verbose_name": "notice to staff", "verbose_name_plural": "notices to staff"},
        ),
    ]
