"""Keyed hashes of one person belong together, so that who comes back by one of them is let in by all."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0040_notes")]

    operations = [
        migrations.AddField(
            model_name="erasedkey",
            name="erasure",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="keys",
                to="customers.erasure",
            ),
        ),
    ]
