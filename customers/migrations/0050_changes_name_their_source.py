"""A change says through which source it was said, so that others can take it over."""

import django.db.models.deletion
from django.db import migrations, models

# What customers changed themselves came through MijnMenu; the rest was typed by staff.
FORWARD = """
UPDATE customers_customerchange AS change SET source_id = source.id FROM customers_source AS source
WHERE source.code = CASE change.changed_by WHEN 'customer' THEN 'mijnmenu' ELSE 'workbench' END;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0049_absences")]

    operations = [
        migrations.AddField(
            model_name="customerchange",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="customers.source",
            ),
        ),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
