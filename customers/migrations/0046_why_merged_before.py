"""What the pairs say of merges from before: how likely they were one person, and why."""

from django.db import migrations

FILL = """
UPDATE customers_merge AS merge SET score = pair.score, reasons = pair.reasons
FROM customers_matchpair AS pair
WHERE pair.first_id = least(merge.kept_id, merge.absorbed_id)
    AND pair.second_id = greatest(merge.kept_id, merge.absorbed_id)
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0045_why_merged")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
