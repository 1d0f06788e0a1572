"""Twenty selections as marketeers make them, each with the best SQL that we could write for it by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from dateutil.relativedelta import relativedelta
from django.db import connection

from benchmarks._selections.filling import NOW
from common.time import start_of_day

TODAY = NOW.date()

#: Whom any selection may hold.
WHO = "SELECT c.id FROM customers_customer AS c WHERE c.merged_into_id IS NULL AND c.restricted_at IS NULL"


@dataclass(frozen=True)
class Question:
    """A rule, and by hand what it should cost: ``sql`` goes on where ``WHO`` ends, unless it is a whole statement."""

    children: list[dict[str, Any]]
    sql: str
    op: str = "all"
    picks: tuple[dict[str, Any], ...] = ()

    @property
    def rule(self) -> dict[str, Any]:
        """The rule as it is stored."""
        return {"version": 2, "op": self.op, "children": self.children, "picks": list(self.picks)}

    @property
    def by_hand(self) -> str:
        """The statement by hand, values bound."""
        statement = self.sql if self.sql.lstrip().startswith(("SELECT", "WITH")) else f"{WHO} AND {self.sql}"
        with connection.cursor() as cursor:
            text: bytes | str = cursor.mogrify(statement, _values())
        return text.decode() if isinstance(text, bytes) else text


def _values() -> dict[str, Any]:
    """What statements by hand name: moments so many days or years ago, and ids."""
    from customers.models import Branch
    from labels.models import Label
    from mailings.models import Mailing

    back = {f"d{days}": start_of_day(TODAY - dt.timedelta(days=days)) for days in (14, 30, 90, 120, 365, 730)}
    born = {f"born{years}": TODAY - relativedelta(years=years) for years in (12, 13, 18, 25, 46, 65)}
    years = {f"y{years}": TODAY - relativedelta(years=years) for years in (3, 10)}
    names = {
        f"label_{code.replace('-', '_')}": pk for code, pk in Label.objects.filter(kind="own").values_list("code", "pk")
    }
    mailings = list(Mailing.objects.order_by("pk").values_list("pk", flat=True))
    return {
        **back, **born, **years, **names,
        "now": NOW, "today": TODAY, "in30": TODAY + dt.timedelta(days=30), "y3_at": NOW - relativedelta(years=3),
        "v0": Branch.objects.get(code="V0").pk, "v1": Branch.objects.get(code="V1").pk,
        "v9": Branch.objects.get(code="V9").pk, "mailing": mailings[1],
        "days14": NOW - dt.timedelta(days=14), "days90": NOW - dt.timedelta(days=90),
    }  # fmt: skip


def asks(criterion: str, **params: Any) -> dict[str, Any]:
    """Return a node of a rule."""
    return {"criterion": criterion, "params": params}


def group(op: str, *children: dict[str, Any]) -> dict[str, Any]:
    """Return a group of a rule."""
    return {"op": op, "children": list(children)}


MEMBERS = asks("customer.kind", kinds=["member"])
RUNNING = """
    EXISTS (SELECT FROM customers_subscription AS s WHERE s.customer_id = c.id AND s.started_on <= %(today)s
            AND (s.ended_on IS NULL OR s.ended_on >= %(today)s))
"""
#: The newsletter is on request: who said yes last, of what was not taken back and not said by a child alone.
NEWSLETTER = """
    (c.deceased_on IS NULL OR c.deceased_on > %(today)s) AND c.id IN (
        SELECT customer_id FROM (
            SELECT DISTINCT ON (customer_id) customer_id, state FROM customers_consent AS said
              JOIN customers_customer AS who ON who.id = said.customer_id
             WHERE purpose_id = (SELECT id FROM customers_purpose WHERE code = 'newsletter') AND channel = 'email'
               AND event_at <= %(now)s AND state <> 'retracted'
               AND said.id NOT IN (SELECT retracts_id FROM customers_consent WHERE retracts_id IS NOT NULL)
               AND NOT (state = 'granted' AND guardian_id IS NULL AND who.birth_date IS NOT NULL
                   AND (event_at AT TIME ZONE 'Europe/Amsterdam')::date < who.birth_date + interval '16 years')
             ORDER BY customer_id, event_at DESC, state = 'granted', state) AS said
         WHERE state = 'granted')
"""


def _had(label: str, condition: str) -> str:
    return (
        "EXISTS (SELECT FROM labels_assignment AS a WHERE a.customer_id = c.id"
        f" AND a.label_id = %(label_{label})s AND {condition})"
    )


_HOLDS = "a.since <= %(now)s AND (a.until IS NULL OR a.until > %(now)s)"

QUESTIONS = (
    Question(
        [MEMBERS, asks("customer.branch", branches=["V9"]), asks("customer.age", at_least=25, at_most=45)],
        "c.kind = 'member' AND c.branch_id = %(v9)s AND c.birth_date <= %(born25)s AND c.birth_date > %(born46)s",
    ),
    Question(
        [asks("customer.birthday", days_ahead=0), MEMBERS],
        "c.kind = 'member' AND extract(month FROM c.birth_date) = 6 AND extract(day FROM c.birth_date) = 15",
    ),
    Question(
        [asks("subscriptions.has"), asks("facts.none", kind="loan", period="last", number=90)],
        f"""{RUNNING} AND NOT EXISTS (SELECT FROM customers_fact AS f WHERE f.customer_id = c.id AND f.kind = 'loan'
            AND f.occurred_at >= %(d90)s AND f.occurred_at < %(now)s)""",
    ),
    Question(
        [asks("facts.last", kind="loan", period="ago", number=90, number_to=120)],
        """c.id IN (SELECT customer_id FROM customers_facttotal WHERE kind = 'loan' AND last_at >= %(d120)s
            AND last_at < %(d90)s + interval '1 day')""",
    ),
    Question(
        [MEMBERS, asks("facts.count", kind="loan", times=10, period="last", number=365)],
        """c.kind = 'member' AND c.id IN (SELECT customer_id FROM customers_fact WHERE kind = 'loan'
            AND occurred_at >= %(d365)s AND occurred_at < %(now)s GROUP BY customer_id HAVING count(*) >= 10)""",
    ),
    Question(
        [asks("facts.count", kind="loan", times=3, world="reizen", period="last", number=730)],
        """c.id IN (SELECT customer_id FROM customers_fact WHERE kind = 'loan' AND world = 'reizen'
            AND occurred_at >= %(d730)s AND occurred_at < %(now)s GROUP BY customer_id HAVING count(*) >= 3)""",
    ),
    Question(
        [asks("facts.sum", kind="ticket", unit="amount_cents", at_least=10000, period="last", number=730)],
        """c.id IN (SELECT customer_id FROM customers_fact WHERE kind = 'ticket' AND occurred_at >= %(d730)s
            AND occurred_at < %(now)s AND amount_cents <> 0 GROUP BY customer_id
            HAVING sum(amount_cents) >= 10000)""",
    ),
    Question(
        [asks("customer.household", at_least=3), asks("customer.age", at_most=12)],
        """c.birth_date > %(born13)s AND c.household_id IN (SELECT household_id FROM customers_customer
            WHERE merged_into_id IS NULL AND household_id IS NOT NULL GROUP BY household_id HAVING count(*) >= 3)""",
    ),
    Question(
        [asks("labels.has", labels=["interesse-reizen"]), asks("labels.not_has", labels=["vroege-vogel"])],
        f"{_had('interesse_reizen', _HOLDS)} AND NOT {_had('vroege_vogel', _HOLDS)}",
    ),
    Question(
        [asks("consents.allowed", purpose="newsletter", channel="email"), asks("customer.place", cities="Purmerend")],
        f"upper(c.city) = 'PURMEREND' AND {NEWSLETTER}",
    ),
    Question(
        [
            asks("labels.lost", labels=["leesclub"], period="last", number=90),
            asks("labels.not_has", labels=["leesclub"]),
        ],
        f"""{_had("leesclub", "a.until >= %(d90)s AND a.until <= %(now)s AND a.until > a.since")}
            AND NOT {_had("leesclub", _HOLDS)}""",
    ),
    Question(
        [asks("facts.first", kind="loan", period="last", number=30)],
        "c.id IN (SELECT customer_id FROM customers_facttotal WHERE kind = 'loan' AND first_at >= %(d30)s)",
    ),
    Question(
        [asks("facts.count", kind="ticket"), group("none", asks("subscriptions.has"))],
        f"""EXISTS (SELECT FROM customers_facttotal AS t WHERE t.customer_id = c.id AND t.kind = 'ticket'
            AND t.first_at < %(now)s) AND NOT {RUNNING}""",
    ),
    Question(
        [
            asks(
                "facts.count",
                kind="visit",
                genre="kinderopvang",
                times=2,
                at_least_seconds=60,
                period="last",
                number=30,
            ),
        ],
        """c.id IN (SELECT customer_id FROM customers_fact WHERE kind = 'visit' AND genre = 'kinderopvang'
            AND duration_seconds >= 60 AND occurred_at >= %(d30)s AND occurred_at < %(now)s
            GROUP BY customer_id HAVING count(*) >= 2)""",
    ),
    Question(
        [asks("subscriptions.years", at_least=10), asks("customer.branch", branches=["V0", "V1"])],
        f"""c.branch_id IN (%(v0)s, %(v1)s) AND {RUNNING} AND EXISTS (SELECT FROM customers_subscription AS old
            WHERE old.customer_id = c.id AND old.started_on <= %(y10)s)""",
    ),
    Question(
        [asks("subscriptions.ends", days=30), asks("customer.reachable", by=["email"])],
        f"""{RUNNING} AND NOT EXISTS (SELECT FROM customers_subscription AS s WHERE s.customer_id = c.id
                AND (s.ended_on IS NULL OR s.ended_on > %(in30)s))
            AND EXISTS (SELECT FROM customers_subscription AS s WHERE s.customer_id = c.id
                AND s.ended_on BETWEEN %(today)s AND %(in30)s)
            AND EXISTS (SELECT FROM customers_contactpoint AS p WHERE p.customer_id = c.id AND p.channel = 'email'
                AND p.is_primary)""",
    ),
    Question(
        [asks("mailings.received", mailing=2, clicked="no")],
        """EXISTS (SELECT FROM mailings_message AS m WHERE m.customer_id = c.id AND m.mailing_id = %(mailing)s
            AND m.state = 'sent' AND m.sent_at <= %(now)s AND NOT EXISTS (SELECT FROM mailings_click AS k
                WHERE k.message_id = m.id AND k.clicked_at <= %(now)s))""",
    ),
    Question(
        [
            asks("customer.branch", branches=["V0", "V1"]),
            asks("labels.has", labels=["vroege-vogel"]),
            asks("facts.count", kind="loan", genre="g2", period="last", number=365),
            asks("consents.allowed", purpose="newsletter", channel="email"),
            group("none", asks("mailings.received", period="last", number=14)),
        ],
        f"""c.branch_id IN (%(v0)s, %(v1)s) AND {_had("vroege_vogel", _HOLDS)} AND {NEWSLETTER}
            AND EXISTS (SELECT FROM customers_fact AS f WHERE f.customer_id = c.id AND f.kind = 'loan'
                AND f.genre = 'g2' AND f.occurred_at >= %(d365)s AND f.occurred_at < %(now)s)
            AND NOT EXISTS (SELECT FROM mailings_message AS m WHERE m.customer_id = c.id AND m.state = 'sent'
                AND m.sent_at >= %(d14)s AND m.sent_at <= %(now)s)""",
    ),
    Question(
        [
            asks("facts.count", kind="ticket", times=2, period="last", number=365),
            asks("facts.count", kind="loan", times=5, world="kunst", period="last", number=365),
            group("all", asks("labels.has", labels=["ambassadeur"]), asks("customer.age", at_least=65)),
        ],
        f"""c.id IN (
            SELECT customer_id FROM customers_fact WHERE kind = 'ticket' AND occurred_at >= %(d365)s
                AND occurred_at < %(now)s GROUP BY customer_id HAVING count(*) >= 2
            UNION ALL
            SELECT customer_id FROM customers_fact WHERE kind = 'loan' AND world = 'kunst' AND occurred_at >= %(d365)s
                AND occurred_at < %(now)s GROUP BY customer_id HAVING count(*) >= 5
            UNION ALL
            SELECT c.id FROM customers_customer AS c WHERE c.birth_date <= %(born65)s
                AND {_had("ambassadeur", _HOLDS)})""",
        op="any",
    ),
    Question(
        [MEMBERS, asks("facts.sum", kind="loan", unit="quantity", at_least=5, period="last", number=365)],
        """c.id IN (SELECT c.id FROM customers_customer AS c WHERE c.merged_into_id IS NULL AND c.restricted_at IS NULL
            AND c.kind = 'member' AND c.id IN (SELECT customer_id FROM customers_fact WHERE kind = 'loan'
                AND occurred_at >= %(d365)s AND occurred_at < %(now)s GROUP BY customer_id HAVING sum(quantity) >= 5)
            ORDER BY md5('sample:7:' || c.id), c.id LIMIT 5000)""",
        picks=({"pick": "sample", "size": 5000, "seed": 7},),
    ),
)
