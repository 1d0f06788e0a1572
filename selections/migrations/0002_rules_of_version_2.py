"""Rules as they are written now: version 2, which knows picks and is otherwise what version 1 was."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("selections", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "UPDATE selections_selection SET rule = jsonb_set(rule, '{version}', '2') WHERE rule -> 'version' = '1'",
            migrations.RunSQL.noop,
            elidable=True,
        ),
    ]
