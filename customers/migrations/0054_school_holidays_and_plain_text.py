"""The official school holidays, and what criteria compare text and places with."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from customers.holidays import ensure_holidays

FORWARD = """
-- Text as people compare it: "Hoorn" is "hoorn", "Rene" is "René".
CREATE FUNCTION customers_plain(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(public.unaccent('public.unaccent'::regdictionary, value));

-- Kilometres between two places in degrees, as the crow flies (haversine).
CREATE FUNCTION customers_km(
    lat_a double precision, lon_a double precision, lat_b double precision, lon_b double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 12742.0176 * asin(least(1, sqrt(
    power(sin(radians(lat_b - lat_a) / 2), 2)
    + cos(radians(lat_a)) * cos(radians(lat_b)) * power(sin(radians(lon_b - lon_a) / 2), 2)
)));
"""

BACKWARD = """
DROP FUNCTION customers_km(double precision, double precision, double precision, double precision);
DROP FUNCTION customers_plain(text);
"""


def load(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    ensure_holidays(lambda name: apps.get_model("customers", name))


class Migration(migrations.Migration):
    dependencies = [("customers", "0053_calendar_and_places")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(load, migrations.RunPython.noop),
    ]
