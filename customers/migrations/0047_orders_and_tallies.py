"""Facts that are lines of one order know its number; what a source brought per month is counted apart."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0046_why_merged_before")]

    operations = [
        migrations.AddField(
            model_name="fact",
            name="order_number",
            field=models.CharField(blank=True, max_length=40, null=True, verbose_name="order"),
        ),
        migrations.CreateModel(
            name="FactTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=24, verbose_name="kind")),
                ("month", models.DateField(verbose_name="month")),
                ("count", models.BigIntegerField(verbose_name="count")),
                ("last_at", models.DateTimeField(verbose_name="last time")),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, to="customers.source", verbose_name="source"
                    ),
                ),
            ],
            options={
                "verbose_name": "tally of facts",
                "verbose_name_plural": "tallies of facts",
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "source", "month"), name="fact_tally_once"),
                ],
            },
        ),
    ]
