"""The hash of an erased address, in the database too, so that an import asks for a million rows in one statement."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION customers_erased_digest(key text, what text, value text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN sha256(convert_to(key, 'UTF8') || sha256(convert_to(key || what || ':' || value, 'UTF8')));

-- Name and address as one value (customers.privacy.keys.home); empty text when they are too little to tell one person.
CREATE FUNCTION customers_erased_home(
    postal_code text, house_number text, addition text, first_name text, last_name text
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN coalesce(customers_household_key(postal_code, house_number, addition), '') = ''
        OR coalesce(first_name, '') = '' OR coalesce(last_name, '') = '' THEN ''
    ELSE customers_household_key(postal_code, house_number, addition)
        || '|' || customers_name_key(last_name, '', '', '') || '|' || customers_name_key(first_name, '', '', '')
END;
"""

BACKWARD = """
DROP FUNCTION customers_erased_home(text, text, text, text, text);
DROP FUNCTION customers_erased_digest(text, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0035_card_numbers")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
