"""Labels of files so far say their group and version in their description: "Mosaic 2026"."""

from django.db import migrations

FILL = """
UPDATE labels_label AS label SET version = left(btrim(substr(label.description, length(grp.name) + 1)), 20)
  FROM labels_labelgroup AS grp
 WHERE grp.id = label.group_id AND label.kind = 'imported' AND label.version = ''
   AND label.description LIKE replace(replace(grp.name, '%', '\\%'), '_', '\\_') || ' %'
"""


class Migration(migrations.Migration):
    dependencies = [("labels", "0002_rules_validity_and_groups")]

    operations = [migrations.RunSQL(FILL, "UPDATE labels_label SET version = '' WHERE version <> ''")]
