"""Why two customers were merged stays with the merge, whatever becomes of the pair."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0044_chain_of_any_size")]

    operations = [
        migrations.AddField(
            "merge", "score", models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name="likelihood")
        ),
        migrations.AddField("merge", "reasons", models.JSONField(db_default=[], default=list, verbose_name="why")),
    ]
