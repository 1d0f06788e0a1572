"""What an import's report says of rows that were not refused; looking up changes by their row, and children by the
number of a parent who has not come in yet.
"""

from django.db import migrations, models

CHILDREN = """
CREATE INDEX record_of_child ON customers_sourcerecord (source_id, (values ->> 'guardian'))
WHERE values ->> 'guardian' <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0041_keys_of_one_person")]

    operations = [
        migrations.AddField("importrun", "remarks", models.JSONField(blank=True, default=dict)),
        migrations.AddIndex("importchange", models.Index(fields=["row_id", "table"], name="import_change_of_row")),
        migrations.RunSQL(CHILDREN, "DROP INDEX record_of_child"),
    ]
