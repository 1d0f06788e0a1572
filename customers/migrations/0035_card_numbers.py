"""Library cards may carry another number than the customer's: a column, and an index that finds its first digits."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0011_precedence_of_sources"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="card_number",
            field=models.CharField(blank=True, db_default="", default="", max_length=40, verbose_name="card number"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                django.contrib.postgres.indexes.OpClass("card_number", name="varchar_pattern_ops"),
                condition=models.Q(("card_number", ""), _negated=True),
                name="customer_card",
            ),
        ),
    ]
