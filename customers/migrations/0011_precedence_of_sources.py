"""When the precedence of a source was changed and not yet carried through."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0010_records_of_known_customers")]

    operations = [
        migrations.AddField(
            "source",
            "reranked_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="precedence changed at"),
        ),
    ]
