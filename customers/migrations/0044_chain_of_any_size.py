"""Adding to the ledger takes as long for the millionth row as for the first, whatever the planner believes of it, and
when a row came in is what the database says.
"""

from django.db import migrations

FORWARD = r"""
-- A session that saw the table empty would go on reading all of it for each row: its plan is kept. So: never all of it.
CREATE OR REPLACE FUNCTION customers_consent_chain() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    position_before int;
    hash_before bytea;
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
    SELECT position, hash INTO position_before, hash_before
    FROM customers_consent WHERE subject_id = NEW.customer_id ORDER BY position DESC LIMIT 1;
    NEW.received_at := now();
    NEW.subject_id := NEW.customer_id;
    NEW.position := coalesce(position_before, 0) + 1;
    NEW.hash := sha256(coalesce(hash_before, '') || convert_to(customers_consent_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0043_grounds_over_time")]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
