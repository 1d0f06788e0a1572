"""What was answered cannot be reworded, nothing can be emptied at once, and a retraction names what it takes back."""

from django.db import migrations

FORWARD = r"""
CREATE OR REPLACE FUNCTION customers_consent_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    previous customers_consent;
BEGIN
    -- One writer at a time per customer; a row lock, since a million advisory locks would not fit in memory.
    PERFORM FROM customers_customer WHERE id = NEW.customer_id FOR NO KEY UPDATE;
    IF NEW.state = 'retracted' THEN
        PERFORM FROM customers_consent AS said
        WHERE said.id = NEW.retracts_id AND said.customer_id = NEW.customer_id AND said.purpose_id = NEW.purpose_id
            AND said.channel = NEW.channel AND said.state <> 'retracted';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the ledger of consents: row % is no answer of customer % that can be taken back',
                NEW.retracts_id, NEW.customer_id USING ERRCODE = 'restrict_violation';
        END IF;
        -- Two answers taken back at one moment are two rows, in one order: a microsecond apart.
        WHILE EXISTS (
            SELECT FROM customers_consent AS other
            WHERE other.customer_id = NEW.customer_id AND other.purpose_id = NEW.purpose_id
                AND other.channel = NEW.channel AND other.event_at = NEW.event_at AND other.state = 'retracted'
                AND other.source_id = NEW.source_id AND other.retracts_id <> NEW.retracts_id
        ) LOOP
            NEW.event_at := NEW.event_at + interval '1 microsecond';
        END LOOP;
    END IF;
    SELECT * INTO previous FROM customers_consent WHERE subject_id = NEW.customer_id ORDER BY position DESC LIMIT 1;
    NEW.subject_id := NEW.customer_id;
    NEW.position := coalesce(previous.position, 0) + 1;
    NEW.hash := sha256(coalesce(previous.hash, '') || convert_to(customers_consent_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;

CREATE FUNCTION customers_consent_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger of consents is append-only: TRUNCATE refused' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON customers_consent
    FOR EACH STATEMENT EXECUTE FUNCTION customers_consent_no_truncate();

CREATE FUNCTION customers_wording_answered() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM customers_consent
        WHERE purpose_id = OLD.purpose_id AND wording_version = OLD.version
    ) THEN
        RAISE EXCEPTION 'wording %: somebody has answered it, so it stays as it is', OLD.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER wording_answered BEFORE UPDATE OR DELETE ON customers_wording
    FOR EACH ROW EXECUTE FUNCTION customers_wording_answered();
"""

BACKWARD = r"""
DROP TRIGGER wording_answered ON customers_wording;
DROP FUNCTION customers_wording_answered();
DROP TRIGGER consent_no_truncate ON customers_consent;
DROP FUNCTION customers_consent_no_truncate();
CREATE OR REPLACE FUNCTION customers_consent_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    previous customers_consent;
BEGIN
    PERFORM FROM customers_customer WHERE id = NEW.customer_id FOR NO KEY UPDATE;
    SELECT * INTO previous FROM customers_consent WHERE subject_id = NEW.customer_id ORDER BY position DESC LIMIT 1;
    NEW.subject_id := NEW.customer_id;
    NEW.position := coalesce(previous.position, 0) + 1;
    NEW.hash := sha256(coalesce(previous.hash, '') || convert_to(customers_consent_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0020_channels_and_history")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
