"""Customers who may be written to, and a content as large and as personal as those of real newsletters."""

from __future__ import annotations

import datetime as dt
from typing import Any

from common.sql import execute
from common.time import clock
from customers.models import Branch, Customer, Purpose, PurposeChannel, Source
from labels.models import Label
from mailings.actions import change_sending_settings, save_content, start_mailing
from mailings.models import CapRule, Content, Mailing

BRANCHES = 8
AUDIENCES = {"jeugd": 0.3, "reizen": 0.4, "theater": 0.5}
WORDS = (
    "in de bibliotheek is altijd iets te doen voor jong en oud, met boeken, films, muziek, cursussen en koffie bij een"
    " goed gesprek"
)
PARAGRAPHS = 1

_CUSTOMERS = """
INSERT INTO customers_customer (number, kind, initials, first_name, name_prefix, last_name, birth_date, gender, street,
    house_number, house_number_addition, postal_code, city, branch_id, registered_on, source_id, link_version,
    created_at, updated_at, card_number, address_state)
SELECT 'M' || i, 'member', 'A.', (ARRAY['Anna', 'Zoë', 'Fatima', 'Noor'])[1 + i %% 4], '', 'Jansen' || i %% 5000,
    date '1950-01-01' + i %% 18000, 'f', 'Dorpsstraat', 1 + i %% 300, '', '1441AB', 'Purmerend',
    %(branch)s + i %% %(branches)s, date '2020-01-01', %(source)s, 0, %(now)s, %(now)s, '', ''
FROM generate_series(1, %(n)s) AS i
"""
_ADDRESSES = """
INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
SELECT id, 'email', 'lezer' || id || '@example.nl', true, %(source)s, %(now)s FROM customers_customer
"""
_ANSWERS = """
INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version, evidence,
    event_at, received_at, subject_id, position, hash)
SELECT id, %(purpose)s, 'email', CASE WHEN id %% 40 = 0 THEN 'withdrawn' ELSE 'granted' END, %(source)s, 'import 1',
    '1', '{}', timestamptz '2025-01-01' + id * interval '1 second', %(now)s, id, 1, '' FROM customers_customer
"""
_HOLDERS = """
INSERT INTO labels_assignment (label_id, customer_id, since, given_by, reason, taken_by)
SELECT %(label)s, id, %(now)s, 'bench', '', '' FROM customers_customer WHERE random() < %(share)s
"""


def fill(n: int) -> None:
    """Put ``n`` customers with addresses, answers and labels into an empty database."""
    from customers.actions import ensure_base_data

    ensure_base_data()
    now = clock()
    PurposeChannel.objects.filter(basis="customer_relation").update(
        same_entity=True, was_informed=True, could_refuse=True, own_similar=True
    )
    change_sending_settings(
        organisation="Bibliotheek Waterland", postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland", sender_email="nieuws@waterland.example",
        privacy_url="https://www.example.nl/privacy",
    )  # fmt: skip
    CapRule.objects.all().delete()  # everybody gets every turn
    Branch.objects.bulk_create(Branch(code=f"V{one}", name=f"Vestiging {one}") for one in range(BRANCHES))
    source = Source.objects.get(code="library").pk
    first = Branch.objects.order_by("pk").values_list("pk", flat=True)[0]
    values: dict[str, Any] = {"n": n, "source": source, "now": now, "branch": first, "branches": BRANCHES}
    execute("SET session_replication_role = replica")  # no triggers: nothing that they guard is at stake here
    execute("SELECT setseed(0.4)")
    execute(_CUSTOMERS, values)
    execute(_ADDRESSES, values)
    execute(_ANSWERS, {**values, "purpose": marketing().pk})
    for code, share in AUDIENCES.items():
        label = Label.objects.create(code=code, name=code.title(), kind="own", created_at=now)
        execute(_HOLDERS, {"label": label.pk, "share": share, "now": now})
    execute("SET session_replication_role = origin")
    execute("VACUUM ANALYZE")


def marketing() -> Purpose:
    """Return the purpose that all mailings here have."""
    return Purpose.objects.get(code="marketing")


def make_content() -> Content:
    """Return a content of some 25 KB of HTML: 15 fields, 8 tracked links, and blocks for 3 audiences."""
    labels = list(Label.objects.filter(code__in=AUDIENCES).values_list("pk", flat=True))
    filler = " ".join([WORDS] * 7)
    blocks: list[dict[str, Any]] = [
        _text('Dag {{ first_name | default: "lezer" }}, {{ salutation }} van nummer {{ customer_number }}.'),
    ]
    for number in range(PARAGRAPHS):
        blocks.append({"type": "heading", "data": {"text": f"Dit is er {number} te doen in {{{{ branch_name }}}}"}})
        blocks.append(_text(filler))
    blocks += [
        _text("U bent {{ age }} jaar, geboren in {{ birth_year }}, en woont in {{ city }}.")
        | {"audience": {"kind": "label", "id": label}}
        for label in labels[:1]
    ]
    blocks += [
        {"type": "article", "audience": {"kind": "label", "id": label}, "data": {
            "title": f"Voor u gekozen {label}", "text": f"<p>{filler}</p>",
            "link": f"https://www.example.nl/keuze/{label}", "link_text": "Lees verder"}}
        for label in labels
    ]  # fmt: skip
    blocks.append({"type": "button", "data": {"text": "Kom kijken", "url": "https://www.example.nl/agenda?a=1&b=2"}})
    blocks.append(
        _text(" ".join(f'<a href="https://www.example.nl/kort/{number}">bericht {number}</a>' for number in range(4)))
    )
    blocks.append(_text("Met groet, {{ organisation }}, voor {{ full_name }}."))
    return save_content(None, name="Bench", subject="Nieuws voor {{ first_name }}", blocks=blocks, now=clock())


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "data": {"text": f"<p>{text}</p>"}}


def begin(content: Content, key: str, *, until: int | None = None, now: dt.datetime) -> Mailing:
    """Start a mailing to everybody, or to the customers with an id up to ``until``."""
    people = Customer.objects.all() if until is None else Customer.objects.filter(pk__lte=until)
    return start_mailing(
        name=key, origin="bench", due_key=f"bench:{key}", purpose=marketing(), channels="email", content=content,
        candidates=people, now=now,
    )  # fmt: skip
