"""Every purpose gets the channels that its rule stood for; the customer relation waits until staff confirm it."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from customers.consents.channels import ensure_channels


def forward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    ensure_channels(lambda name: apps.get_model("customers", name))


class Migration(migrations.Migration):
    dependencies = [("customers", "0021_ledger_is_locked")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
