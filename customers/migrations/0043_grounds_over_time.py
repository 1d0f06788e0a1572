"""What ground a purpose had for a channel at any moment: since when it holds, and one function that tells."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

FORWARD = r"""
-- What was changed before this was kept with the moment at which it was written down.
UPDATE customers_purposechannelevent SET since = pgh_created_at WHERE pgh_label = 'update';
ALTER TABLE customers_purposechannel DISABLE TRIGGER USER;
UPDATE customers_purposechannel AS channel SET since = (
    SELECT max(known.since) FROM customers_purposechannelevent AS known WHERE known.id = channel.id
);
ALTER TABLE customers_purposechannel ENABLE TRIGGER USER;

CREATE FUNCTION customers_grounds(as_of timestamptz)
RETURNS TABLE (purpose_id bigint, channel text, basis text) LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (known.purpose_id, known.channel) known.purpose_id, known.channel::text,
        -- a customer relation of which the conditions are not confirmed is none (Tw 11.7(3))
        CASE WHEN known.basis = 'customer_relation' AND NOT (
            known.same_entity AND known.was_informed AND known.could_refuse AND known.own_similar
        ) THEN 'consent' ELSE known.basis::text END
    FROM (
        SELECT event.purpose_id, event.channel, event.basis, event.same_entity, event.was_informed, event.could_refuse,
            event.own_similar, event.since, event.pgh_id
        FROM customers_purposechannelevent AS event JOIN customers_purposechannel AS kept ON kept.id = event.id
        WHERE event.since IS NULL OR event.since <= as_of
        UNION ALL
        -- for rows that were loaded without their history
        SELECT now.purpose_id, now.channel, now.basis, now.same_entity, now.was_informed, now.could_refuse,
            now.own_similar, NULL, 0
        FROM customers_purposechannel AS now
    ) AS known
    ORDER BY known.purpose_id, known.channel, known.since DESC NULLS LAST, known.pgh_id DESC
$$;
"""

BACKWARD = "DROP FUNCTION customers_grounds(timestamptz);"


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0042_remarks_of_imports"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="purposechannel",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="purposechannel",
            name="update_update",
        ),
        migrations.AddField(
            model_name="purposechannel",
            name="since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="since"),
        ),
        migrations.AddField(
            model_name="purposechannelevent",
            name="since",
            field=models.DateTimeField(editable=False, null=True, verbose_name="since"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="purposechannel",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "customers_purposechannelevent" ("basis", "channel", "could_refuse", "id", "needs_double_opt_in", "own_similar", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id", "same_entity", "since", "was_informed") VALUES (NEW."basis", NEW."channel", NEW."could_refuse", NEW."id", NEW."needs_double_opt_in", NEW."own_similar", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."purpose_id", NEW."same_entity", NEW."since", NEW."was_informed"); RETURN NULL;',  # noqa: E501
                    hash="abae453f9e8d67466d91657f50e1620478e59ddd",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d00ac",
                    table="customers_purposechannel",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="purposechannel",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "customers_purposechannelevent" ("basis", "channel", "could_refuse", "id", "needs_double_opt_in", "own_similar", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "purpose_id", "same_entity", "since", "was_informed") VALUES (NEW."basis", NEW."channel", NEW."could_refuse", NEW."id", NEW."needs_double_opt_in", NEW."own_similar", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."purpose_id", NEW."same_entity", NEW."since", NEW."was_informed"); RETURN NULL;',  # noqa: E501
                    hash="7ebc2e0a5553a9256c24eb7eab50d5ee565b0a33",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_db591",
                    table="customers_purposechannel",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
