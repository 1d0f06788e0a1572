"""What is counted each night of the quality of the data."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0015_matching"),
    ]

    operations = [
        migrations.CreateModel(
            name="QualityCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("issue", models.CharField(blank=True, max_length=40, verbose_name="issue")),
                (
                    "scope",
                    models.CharField(
                        choices=[("all", "All customers"), ("branch", "Per branch"), ("source", "Per source")],
                        max_length=6,
                        verbose_name="of whom",
                    ),
                ),
                ("count", models.IntegerField(verbose_name="count")),
                ("counted_at", models.DateTimeField(verbose_name="counted at")),
                (
                    "branch",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="customers.branch",
                        verbose_name="branch",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="customers.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of data quality",
                "verbose_name_plural": "counts of data quality",
            },
        ),
        migrations.AddConstraint(
            model_name="qualitycount",
            constraint=models.UniqueConstraint(
                fields=("day", "scope", "issue", "branch", "source"), name="quality_count_once", nulls_distinct=False
            ),
        ),
    ]
