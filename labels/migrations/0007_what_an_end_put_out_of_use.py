"""Remember of the end of a version which labels it put out of use, to put only those in use when it is taken back."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labels", "0006_standard_values")]

    operations = [
        migrations.AddField(
            model_name="versionend",
            name="put_out",
            field=models.JSONField(null=True, verbose_name="put out of use"),
        ),
    ]
