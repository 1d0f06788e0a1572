"""Who is behind a figure of a report."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from customers.models import Customer
from mailings.reports.outcomes import DOMAIN
from mailings.reports.scope import SENT, WITHIN, Scope

_CAME_BACK = """EXISTS (SELECT FROM mailings_bounce AS bounce
    WHERE bounce.message_id = outcome.id AND bounce.kind IN ('hard', 'soft'))"""
_CLICKED = """EXISTS (SELECT FROM mailings_click AS click
    WHERE click.message_id = outcome.id AND click.clicked_at <= outcome.sent_at + %(window)s)"""
_DID = f"EXISTS (SELECT FROM customers_fact AS fact WHERE {WITHIN.replace('message.', 'outcome.')})"
#: Step of a report -> what holds for a message that was sent, as ``outcomes.OUTCOMES`` has it; each step asks only what
#: it needs. The steps before sending are decisions.
_OUTCOMES = {
    "sent": "true",
    "bounced": _CAME_BACK,
    "arrived": f"NOT {_CAME_BACK}",
    "complained": """EXISTS (SELECT FROM mailings_bounce AS bounce
        WHERE bounce.message_id = outcome.id AND bounce.kind = 'complaint')""",
    "clicked": _CLICKED,
    "not_clicked": f"NOT {_CLICKED}",
    "did": _DID,
    "not_did": f"NOT {_DID}",
}
_DECISIONS = {"candidates": "true", "allowed": "outcome = 'accepted'", "held": "outcome = 'hold_out'"}
STEPS = (*_DECISIONS, *_OUTCOMES)
_PLACES = {
    "channel": "outcome.channel = %(channel)s",
    "branch": "coalesce(customer.branch_id::text, '') = %(branch)s",
    "domain": f"{DOMAIN} = %(domain)s",
    "version": "coalesce(outcome.arm_id::text, '') = %(version)s",
    "audience": "outcome.audiences @> to_jsonb(ARRAY[%(audience)s])",
    "link": """EXISTS (SELECT FROM mailings_click AS click WHERE click.message_id = outcome.id
        AND click.link_id = %(link)s AND click.clicked_at <= outcome.sent_at + %(window)s)""",
}


def people(scope: Scope, step: str, **where: str | int) -> QuerySet[Customer]:
    """Return the customers at a step (of ``STEPS``), of a group (``channel``, ``branch``, ``domain``, ``audience``,
    ``version``) or who followed a ``link`` (id). Raises KeyError for a step or group that there is not.
    """
    if step in _DECISIONS:
        return _of(
            f"SELECT customer_id FROM mailings_decision WHERE mailing_id = ANY(%(mailings)s) AND {_DECISIONS[step]}",  # noqa: S608
            scope.values,
        )
    if scope.sent[0] is None:
        return Customer.objects.none()
    asked = " AND ".join([_OUTCOMES[step], *(_PLACES[name] for name in where)])
    return _of(
        f"""SELECT outcome.customer_id FROM mailings_message AS outcome
        JOIN customers_customer AS customer ON customer.id = outcome.customer_id
        WHERE {SENT.replace("message.", "outcome.")} AND {asked}""",  # noqa: S608 - bound below
        {**scope.values, **where},
    )


def _of(statement: str, values: dict[str, Any]) -> QuerySet[Customer]:
    with connection.cursor() as cursor:
        bound: bytes | str = cursor.mogrify(statement, values)
    text = bound.decode() if isinstance(bound, bytes) else bound
    return Customer.objects.filter(pk__in=RawSQL(text.replace("%", "%%"), ()))  # noqa: S611 - bound above
