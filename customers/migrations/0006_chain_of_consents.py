"""The ledger becomes a chain, its rows can follow a person who was merged, and sources get their ranks."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from customers.base import FIELDS_OF_PEOPLE, SOURCE_KINDS

FORWARD = r"""
-- What a hash covers, besides the hash before it. Arrays of JSON leave no doubt where a cell ends.
CREATE FUNCTION customers_consent_text(c customers_consent) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN jsonb_build_array(
    c.subject_id, c.position, c.purpose_id, c.channel, c.state, c.source_id, c.actor, c.wording_version, c.evidence,
    extract(epoch FROM c.event_at)::numeric::text, extract(epoch FROM c.received_at)::numeric::text, c.guardian_id,
    c.retracts_id, c.run_id
)::text;

CREATE FUNCTION customers_consent_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    previous customers_consent;
BEGIN
    -- One writer at a time per customer; a row lock, since a million advisory locks would not fit in memory.
    PERFORM FROM customers_customer WHERE id = NEW.customer_id FOR NO KEY UPDATE;
    SELECT * INTO previous FROM customers_consent WHERE subject_id = NEW.customer_id ORDER BY position DESC LIMIT 1;
    NEW.subject_id := NEW.customer_id;
    NEW.position := coalesce(previous.position, 0) + 1;
    NEW.hash := sha256(coalesce(previous.hash, '') || convert_to(customers_consent_text(NEW), 'UTF8'));
    RETURN NEW;
END $$;

-- Rows from before the chain join it in the order in which they came.
ALTER TABLE customers_consent DISABLE TRIGGER consent_append_only;
DO $$
DECLARE
    one customers_consent;
    last_subject bigint := 0;
    last_hash bytea;
    place int;
BEGIN
    FOR one IN SELECT * FROM customers_consent ORDER BY customer_id, id LOOP
        IF one.customer_id <> last_subject THEN
            last_subject := one.customer_id; last_hash := ''; place := 0;
        END IF;
        place := place + 1;
        one.subject_id := one.customer_id; one.position := place;
        last_hash := sha256(last_hash || convert_to(customers_consent_text(one), 'UTF8'));
        UPDATE customers_consent SET subject_id = one.subject_id, position = place, hash = last_hash WHERE id = one.id;
    END LOOP;
END $$;
ALTER TABLE customers_consent ENABLE TRIGGER consent_append_only;

CREATE TRIGGER consent_chain BEFORE INSERT ON customers_consent
    FOR EACH ROW EXECUTE FUNCTION customers_consent_chain();

CREATE OR REPLACE FUNCTION customers_consent_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person (AVG 17) is the one exception, and says so in its own transaction.
    IF TG_OP = 'DELETE' AND current_setting('wise.erasing', true) = 'on' THEN
        RETURN OLD;
    END IF;
    -- Merging two records of one person, or taking them apart, moves rows; it changes nothing that was said.
    IF TG_OP = 'UPDATE' AND current_setting('wise.merging', true) = 'on'
        AND to_jsonb(NEW) - 'customer_id' = to_jsonb(OLD) - 'customer_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger of consents is append-only: % of row % refused', TG_OP, OLD.id
        USING ERRCODE = 'restrict_violation';
END $$;
"""

BACKWARD = r"""
DROP TRIGGER consent_chain ON customers_consent;
DROP FUNCTION customers_consent_chain();
DROP FUNCTION customers_consent_text(customers_consent);
"""


def rank_sources(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    source, field_rank = apps.get_model("customers", "Source"), apps.get_model("customers", "FieldRank")
    for one in source.objects.filter(code__in=SOURCE_KINDS):
        one.kind, one.rank = SOURCE_KINDS[one.code]
        one.save(update_fields=["kind", "rank"])
        if one.kind == "people":
            for field, rank in FIELDS_OF_PEOPLE.items():
                field_rank.objects.get_or_create(source=one, field=field, defaults={"rank": rank})


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_one_view")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunPython(rank_sources, migrations.RunPython.noop),
    ]
