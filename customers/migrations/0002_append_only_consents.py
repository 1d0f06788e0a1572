"""The ledger of consents cannot be rewritten: not by us, not by mistake, not by hand in the database."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION customers_consent_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person (AVG 17) is the one exception, and says so in its own transaction.
    IF TG_OP = 'DELETE' AND current_setting('wise.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the ledger of consents is append-only: % of row % refused', TG_OP, OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON customers_consent
    FOR EACH ROW EXECUTE FUNCTION customers_consent_append_only();
"""

BACKWARD = """
DROP TRIGGER consent_append_only ON customers_consent;
DROP FUNCTION customers_consent_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
