"""The values that stand in messages, for some hundreds of customers at a time: one query, and one per block with
slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from common.blocks import Medium, blocks
from common.sql import rows
from customers.consents import ALLOWED, OPEN_TRACKING, verdicts_sql
from customers.models import Channel, Purpose
from mailings.compiling import Compiled
from mailings.fields import merge_fields
from mailings.models import SendingSettings
from mailings.rendering import Recipient

_FIELDS = ", ".join(f'({field.sql}) AS "field:{field.code}"' for field in merge_fields)
_CUSTOMER = f"""
    SELECT customer.id AS customer_id, customer.link_version, customer.branch_id, {_FIELDS}
    FROM customers_customer AS customer
    LEFT JOIN customers_branch AS branch ON branch.id = customer.branch_id
    WHERE customer.id = ANY(%(customers)s)
"""  # noqa: S608 - the fields are ours
_MESSAGE = f"""
    WITH person AS ({_CUSTOMER})
    SELECT message.id AS message_id, message.address, message.audiences::text AS audiences, message.arm_id, person.*
    FROM mailings_message AS message JOIN person USING (customer_id)
    WHERE message.id = ANY(%(messages)s)
"""  # noqa: S608


def load_recipients(
    messages: Sequence[tuple[int, int]],
    *,
    compiled: Compiled,
    identity: SendingSettings,
    origin: str,
    medium: Medium,
    now: datetime,
) -> list[Recipient]:
    """Return the recipients of (message id, customer id) pairs, in that order; ``origin`` is ``mailing:<id>``."""
    customer_ids = [customer_id for _message_id, customer_id in messages]
    params = {
        "messages": [message_id for message_id, _customer_id in messages],
        "customers": customer_ids,
        "organisation": identity.organisation,
        "now": now,
    }
    found = {row["message_id"]: row for row in rows(_MESSAGE, params)}
    followed = _followed(customer_ids, now) if medium == "email" else frozenset()
    own = values_of_blocks(compiled, customer_ids=customer_ids, origin=origin, medium=medium)
    return [
        _recipient(found[message_id], own.get(customer_id, {}), is_followed=customer_id in followed)
        for message_id, customer_id in messages
        if message_id in found
    ]


def _followed(customer_ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Return who allowed us to see that he opens our mails."""
    purpose = Purpose.objects.filter(code=OPEN_TRACKING).first()
    if purpose is None or not customer_ids:
        return frozenset()
    own = f"VALUES {', '.join(f'({customer_id:d})' for customer_id in customer_ids)}"
    verdicts = verdicts_sql(own, purpose=purpose, channel=Channel.EMAIL, as_of=now)
    allowed = rows(f"SELECT customer_id FROM ({verdicts}) AS judged WHERE verdict = '{ALLOWED}'", {})  # noqa: S608
    return frozenset(row["customer_id"] for row in allowed)


def values_of_customer(customer_id: int, *, identity: SendingSettings, now: datetime) -> dict[str, str]:
    """Return the merge fields of one customer, for a preview."""
    return values_of_customers([customer_id], identity=identity, now=now).get(customer_id, {})


def values_of_customers(
    customer_ids: Sequence[int], *, identity: SendingSettings, now: datetime
) -> dict[int, dict[str, str]]:
    """Return customer id -> merge fields of some hundreds of customers, for a preview."""
    params = {"customers": list(customer_ids), "organisation": identity.organisation, "now": now}
    return {row["customer_id"]: _merge_values(row) for row in rows(_CUSTOMER, params)}


def values_of_blocks(
    compiled: Compiled, *, customer_ids: Sequence[int], origin: str, medium: Medium
) -> dict[int, dict[str, str]]:
    """Return customer id -> slot -> value of all blocks that have slots of their own."""
    merged: dict[int, dict[str, str]] = {}
    for one in _different(compiled["blocks"]):
        values = blocks[one["type"]].values(one["data"], customer_ids=customer_ids, origin=origin, medium=medium)
        for customer_id, slots in values.items():
            merged.setdefault(customer_id, {}).update(slots)
    return merged


def _different(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return blocks without those of which there is an equal one: versions of a message share most."""
    kept: list[Mapping[str, Any]] = []
    for one in found:
        if all((one["type"], one["data"]) != (other["type"], other["data"]) for other in kept):
            kept.append(one)
    return kept


def samples_of_blocks(compiled: Compiled, *, medium: Medium) -> dict[str, str]:
    """Return worthless values for the slots of blocks, for previews and test messages."""
    merged: dict[str, str] = {}
    for one in compiled["blocks"]:
        merged.update(blocks[one["type"]].samples(one["data"], medium=medium))
    return merged


def _merge_values(row: Mapping[str, Any]) -> dict[str, str]:
    return {name.removeprefix("field:"): value for name, value in row.items() if value and name.startswith("field:")}


def _recipient(row: Mapping[str, Any], own: Mapping[str, str], *, is_followed: bool) -> Recipient:
    return Recipient(
        message_id=row["message_id"],
        customer_id=row["customer_id"],
        link_version=row["link_version"],
        address=row["address"],
        audiences=_audiences(row["audiences"]),
        branch_id=row["branch_id"],
        values={**_merge_values(row), **own},
        is_followed=is_followed,
        arm_id=row["arm_id"],
    )


@lru_cache(maxsize=1024)
def _audiences(text: str) -> frozenset[str]:
    """Read the JSON list of keys; they hold no quotes or commas, so this is quicker than a parser."""
    return frozenset(text.strip('[]" ').replace('"', "").replace(" ", "").split(",")) - {""}
