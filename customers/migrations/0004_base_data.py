"""The sources, purposes and worlds that every installation starts with."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from customers.base import ensure_rows


def forward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    ensure_rows(lambda name: apps.get_model("customers", name))


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_reading_text")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
