"""Erasing a person's rows of the ledger goes through one function, for roles that may not delete there themselves."""

from django.db import migrations

FORWARD = r"""
-- With the rights of the owner of the ledger, so that no web process needs them. It takes all rows of a person or none,
-- and only while an erasure has its receipt open: its counts are written when it is done.
CREATE FUNCTION customers_consent_erase(persons bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM public.customers_erasure WHERE counts = '{}') THEN
        RAISE EXCEPTION 'the ledger of consents: nobody is being erased' USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('wise.erasing', 'on', true);
    DELETE FROM public.customers_consent WHERE customer_id = ANY(persons);
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
"""

BACKWARD = "DROP FUNCTION customers_consent_erase(bigint[]);"


class Migration(migrations.Migration):
    dependencies = [("customers", "0047_orders_and_tallies")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
