"""The computed values that come with the product: customer value, frequency, recency, average time in between."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.utils import timezone

VALUES = {
    "customer-value": ("cents", "amount", "income", 24),
    "frequency": ("days", "days", "deeds", 12),
    "recency": ("days", "recency", "deeds", 24),
    "interval": ("days", "interval", "deeds", 24),
}


def forward(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    definitions = apps.get_model("labels", "ValueDefinition")
    for code, (unit, what, kinds, months) in VALUES.items():
        terms = [{"weight": 1.0, "what": what, "kinds": [kinds], "months": months}]
        definitions.objects.get_or_create(
            code=code, defaults={"unit": unit, "terms": terms, "is_standard": True, "created_at": timezone.now()}
        )


class Migration(migrations.Migration):
    dependencies = [("labels", "0005_mark_what_is_gone")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
