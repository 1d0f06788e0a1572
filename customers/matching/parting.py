"""When two turn out to be two persons after all: nobody is then reached against what was said while they were one.

Whose word it was cannot always be known, so a refusal or a restriction from that time holds for both.
"""

from __future__ import annotations

from common.sql import execute

# What was said under a number of its own went back with its rows; this is what is left with who was kept.
_REFUSALS = """
    INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version, evidence,
        event_at, guardian_id)
    SELECT merging.absorbed_id, said.purpose_id, said.channel, said.state, said.source_id, said.actor,
        said.wording_version, jsonb_build_object('while_merged', merge.id), said.event_at, said.guardian_id
    FROM merging JOIN customers_merge AS merge ON merge.id = merging.merge_id
    JOIN customers_consent AS said ON said.customer_id = merging.kept_id AND said.state IN ('withdrawn', 'objected')
    WHERE CASE WHEN merge.before ? 'last_consent' THEN said.id > (merge.before ->> 'last_consent')::bigint
            ELSE said.received_at >= merge.merged_at END
        AND NOT EXISTS (SELECT FROM customers_consent AS back WHERE back.retracts_id = said.id)
    ORDER BY merging.absorbed_id, said.id
    ON CONFLICT DO NOTHING
"""
# Else an import that was undone would count again for one of them.
_RETRACTIONS = """
    UPDATE customers_consent AS back SET customer_id = merging.absorbed_id
    FROM merging JOIN customers_consent AS said ON said.customer_id = merging.absorbed_id
    WHERE back.retracts_id = said.id AND back.customer_id = merging.kept_id
"""
_RESTRICTION = """
    UPDATE customers_customer AS absorbed SET restricted_at = kept.restricted_at
    FROM merging JOIN customers_merge AS merge ON merge.id = merging.merge_id
    JOIN customers_customer AS kept ON kept.id = merging.kept_id
    WHERE absorbed.id = merging.absorbed_id AND absorbed.restricted_at IS NULL AND kept.restricted_at IS NOT NULL
        AND merge.before #>> '{after,restricted_at}' IS NULL
"""
# A mail to the one may have gone to the address of the other, with a link into the page of both.
_LINKS = """
    UPDATE customers_customer AS kept SET link_version = link_version + 1 FROM merging WHERE kept.id = merging.kept_id
"""


def keep_promises() -> None:
    """Give who leaves (``merging``) the refusals and the restriction that came while both were one, and make the links
    into MijnMenu of that time worthless. Call it when the rows are back.
    """
    execute("SELECT set_config('wise.merging', 'on', true)")
    execute(_RETRACTIONS)
    execute("SELECT set_config('wise.merging', 'off', true)")
    execute(_REFUSALS)
    execute(_RESTRICTION)
    execute(_LINKS)
