"""Numbers and homes written as nearly everybody writes them are read by one comparison instead of four."""

from django.db import migrations

FORWARD = r"""
CREATE OR REPLACE FUNCTION customers_read_phone(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN value = '' THEN NULL
    WHEN value ~ '^0[1-9]\d{8}$' THEN '+31' || substr(value, 2)
    ELSE substring(
        regexp_replace(
            regexp_replace(regexp_replace(replace(value, '(0)', ''), '[^0-9+]', '', 'g'), '^00', '+'), '^0', '+31'
        ) FROM '^\+[1-9]\d{7,14}$'
    )
END;

CREATE OR REPLACE FUNCTION customers_household_key(postal_code text, house_number text, addition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN postal_code = '' THEN NULL
    WHEN addition = '' AND house_number ~ '^\d{1,9}$' THEN left(postal_code || '|' || house_number::int || '|', 60)
    WHEN house_number ~ '^\d{1,9}'
    THEN left(
        postal_code || '|' || substring(house_number FROM '^\d{1,9}')::int || '|' || regexp_replace(
            lower(regexp_replace(house_number, '^\d{1,9}', '') || addition), '[^a-z0-9]', '', 'g'
        ), 60)
END;
"""
BACKWARD = r"""
CREATE OR REPLACE FUNCTION customers_read_phone(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(
    regexp_replace(
        regexp_replace(regexp_replace(replace(value, '(0)', ''), '[^0-9+]', '', 'g'), '^00', '+'), '^0', '+31'
    ) FROM '^\+[1-9]\d{7,14}$'
);

CREATE OR REPLACE FUNCTION customers_household_key(postal_code text, house_number text, addition text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN postal_code <> '' AND house_number ~ '^\d{1,9}'
    THEN left(
        postal_code || '|' || substring(house_number FROM '^\d{1,9}')::int || '|' || regexp_replace(
            lower(regexp_replace(house_number, '^\d{1,9}', '') || addition), '[^a-z0-9]', '', 'g'
        ), 60)
END;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0051_units_of_own_kinds")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
