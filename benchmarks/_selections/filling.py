"""N customers and twenty times as many facts, made where they stand, as skewed as those of a library.

Loyal borrowers do most of the borrowing, half of the members live with another, a few worlds and branches are large.
Facts lie in the order in which they happened, as nightly deliveries bring them. The same at every run (``setseed``).
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from common.sql import execute, rows

FACTS_EACH = 20
NOW = dt.datetime(2026, 6, 15, 10, 0, tzinfo=ZoneInfo("Europe/Amsterdam"))
YEARS = 4  # of facts
WORLDS = ("spanning", "jeugd", "romantiek", "reizen", "kunst", "gezondheid", "geschiedenis", "natuur")
BRANCHES = 12
LABELS = {"leesclub": 0.04, "interesse-reizen": 0.12, "vroege-vogel": 0.3, "ambassadeur": 0.008, "taalhuis": 0.02}
TABLES = (
    "customers_customer", "customers_household", "customers_contactpoint", "customers_subscription", "customers_fact",
    "customers_facttotal", "customers_consent", "labels_assignment", "labels_refreshrun", "mailings_message",
    "mailings_click", "vouchers_voucher", "vouchers_redemption",
)  # fmt: skip

_HOUSEHOLDS = (
    "INSERT INTO customers_household (key) SELECT '1000AA|' || i || '|' FROM generate_series(1, %(homes)s) AS i"
)

_CUSTOMERS = """
INSERT INTO customers_customer (number, kind, initials, first_name, name_prefix, last_name, birth_date, gender, street,
    house_number, house_number_addition, postal_code, city, branch_id, household_id, registered_on, deceased_on,
    restricted_at, merged_into_id, source_id, link_version, created_at, updated_at, card_number, address_state)
SELECT 'K' || i, CASE WHEN a < 0.70 THEN 'member' WHEN a < 0.82 THEN 'former' WHEN a < 0.92 THEN 'newsletter'
    ELSE 'prospect' END, 'A.', 'Anna', '', 'Jansen' || i %% 5000,
    CASE WHEN b > 0.06 THEN date '1935-01-01' + (b * 31900)::int END, (ARRAY['f', 'm', 'f', 'm', 'f', ''])[1 + i %% 6],
    'Dorpsstraat', i %% 300, '', (1000 + floor(power(c, 2) * 900))::int || 'AB',
    (ARRAY['Purmerend', 'Edam', 'Volendam', 'Hoorn', 'Alkmaar', 'Zaandam', 'Monnickendam', 'Landsmeer'])
        [1 + floor(power(c, 2) * 8)::int],
    CASE WHEN d > 0.05 THEN (SELECT min(id) FROM customers_branch) + floor(power(d, 2) * %(branches)s)::int END,
    CASE WHEN e > 0.15 THEN %(home)s + floor(e * %(homes)s)::bigint END,
    date '2011-06-15' + (f * 5478)::int, CASE WHEN g < 0.01 THEN date '2025-01-01' END,
    CASE WHEN g > 0.995 THEN timestamptz '2026-01-01' END, NULL, %(source)s, 0, %(now)s, %(now)s, '', ''
FROM (SELECT i, random() AS a, random() AS b, random() AS c, random() AS d, random() AS e, random() AS f, random() AS g
      FROM generate_series(1, %(n)s) AS i) AS made
"""

_MERGED = """
UPDATE customers_customer SET merged_into_id = id - 1, household_id = NULL WHERE number LIKE '%%77' AND id %% 2 = 1
"""

_CONTACTS = """
INSERT INTO customers_contactpoint (customer_id, channel, value, is_primary, source_id, updated_at)
SELECT id, 'email', 'k' || id || '@example.nl', true, %(source)s, %(now)s FROM customers_customer WHERE id %% 4 > 0
UNION ALL
SELECT id, 'phone', '+316' || 10000000 + id, true, %(source)s, %(now)s FROM customers_customer WHERE id %% 2 = 0
"""

_SUBSCRIPTIONS = """
INSERT INTO customers_subscription (customer_id, number, type, name, price_cents, started_on, ended_on, payment_method,
    source_id)
SELECT id, 'A' || id, (ARRAY['volwassen', 'jeugd', 'digitaal', 'groot'])[1 + floor(power(r, 2) * 4)::int], 'Abonnement',
    CASE WHEN r < 0.8 THEN 5200 ELSE 0 END, registered_on, CASE WHEN kind = 'former'
        THEN greatest(registered_on, date '2026-06-14' - (s * 1400)::int)
        WHEN s < 0.06 THEN date '2026-06-15' + (s * 3000)::int END,
    (ARRAY['direct_debit', 'direct_debit', 'ideal', 'invoice', 'cash'])[1 + floor(s * 5)::int], %(source)s
FROM (SELECT *, random() AS r, random() AS s FROM customers_customer WHERE kind IN ('member', 'former')) AS people
UNION ALL
SELECT id, 'B' || id, 'jeugd', 'Jeugd', 0, registered_on - 2000, registered_on - 1, 'free', %(source)s
FROM customers_customer WHERE kind = 'member' AND id %% 6 = 0
"""

_FACTS = """
INSERT INTO customers_fact (customer_id, kind, occurred_at, branch_id, sector, world, genre, quantity, amount_cents,
    duration_seconds, source_id, external_id, order_number)
SELECT %(first)s + (floor(power(a, 2.2) * %(n)s)::bigint * 7919) %% %(n)s, kind,
    timestamptz %(now)s - %(seconds)s * (1 - (i + 3000 * b) / (%(facts)s + 3000.0)) * interval '1 second',
    (SELECT min(id) FROM customers_branch) + floor(power(c, 2) * %(branches)s)::int,
    CASE WHEN kind = 'ticket' THEN 'theater' ELSE 'bibliotheek' END,
    CASE WHEN kind = 'loan' THEN (%(worlds)s::text[])[1 + floor(power(d, 2) * 8)::int] ELSE '' END,
    CASE kind WHEN 'loan' THEN 'g' || floor(power(c, 2) * 24)::int WHEN 'ticket' THEN (ARRAY['cabaret', 'jazz',
        'toneel', 'dans'])[1 + floor(d * 4)::int] WHEN 'visit' THEN (ARRAY['catalogus', 'kinderopvang', 'agenda'])
        [1 + floor(power(d, 2) * 3)::int] ELSE '' END,
    CASE WHEN kind = 'ticket' THEN 1 + floor(d * 4)::int ELSE 1 END,
    CASE kind WHEN 'ticket' THEN 900 + floor(d * 6000)::int WHEN 'fee' THEN 5200 WHEN 'fine' THEN 150 ELSE 0 END,
    CASE WHEN kind = 'visit' THEN floor(d * 600)::int ELSE 0 END, %(source)s, 'U' || i,
    CASE WHEN kind = 'ticket' THEN 'O' || i / 2 END
FROM (SELECT i, random() AS a, random() AS b, random() AS c, random() AS d,
             (ARRAY['loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan', 'loan',
              'loan', 'loan', 'visit', 'visit', 'visit', 'ticket', 'ticket', 'fee'])[1 + floor(random() * 20)::int]
             AS kind
      FROM generate_series(1, %(facts)s) AS i) AS made
"""

_TOTALS = """
INSERT INTO customers_facttotal (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
SELECT customer_id, kind, min(occurred_at), max(occurred_at), count(*), sum(quantity), sum(amount_cents)
FROM customers_fact GROUP BY customer_id, kind
"""

_CONSENTS = """
INSERT INTO customers_consent (customer_id, purpose_id, channel, state, source_id, actor, wording_version, evidence,
    event_at, received_at, subject_id, position, hash)
SELECT id, purpose, 'email', state, %(source)s, 'import 1', '1', '{}', event_at, event_at, id,
    row_number() OVER (PARTITION BY id ORDER BY event_at), ''
FROM (
    SELECT id, newsletter AS purpose, CASE WHEN id %% 11 = 0 THEN 'withdrawn' ELSE 'granted' END AS state,
        timestamptz '2024-01-01' + id %% 700 * interval '1 day' AS event_at
    FROM customers_customer, (SELECT id AS newsletter FROM customers_purpose WHERE code = 'newsletter') AS p
    WHERE id %% 2 = 0
    UNION ALL
    SELECT id, marketing, 'objected', timestamptz '2025-01-01' + id %% 400 * interval '1 day'
    FROM customers_customer, (SELECT id AS marketing FROM customers_purpose WHERE code = 'marketing') AS p
    WHERE id %% 19 = 0
    UNION ALL
    SELECT id, profiling, 'granted', timestamptz '2023-01-01' + id %% 400 * interval '1 day'
    FROM customers_customer, (SELECT id AS profiling FROM customers_purpose WHERE code = 'profiling') AS p
    WHERE id %% 10 < 7
) AS said
"""

_ASSIGNMENTS = """
INSERT INTO labels_assignment (label_id, customer_id, since, until, given_by, reason, taken_by)
SELECT %(label)s, id, since, CASE WHEN r < 0.3 THEN since + (timestamptz %(now)s - since) * power(r, 0.4) END, 'bench',
    '', ''
FROM (SELECT id, random() AS r, timestamptz %(now)s - random() * interval '1000 days' AS since
      FROM customers_customer WHERE random() < %(share)s AND merged_into_id IS NULL) AS chosen
"""

_MESSAGES = """
INSERT INTO mailings_message (mailing_id, customer_id, channel, address, audiences, state, state_at, withdrawn_because,
    attempts, next_attempt_at, reply, sent_at)
SELECT %(mailing)s, id, 'email', 'k' || id || '@example.nl', '[]', CASE WHEN id %% 50 = 0 THEN 'failed' ELSE 'sent' END,
    %(sent)s, '', 1, %(sent)s, '', CASE WHEN id %% 50 > 0 THEN %(sent)s END
FROM customers_customer WHERE merged_into_id IS NULL AND random() < %(share)s
"""

_CLICKS = """
INSERT INTO mailings_click (message_id, link_id, clicked_at)
SELECT message.id, link.id, message.sent_at + random() * interval '5 days'
FROM mailings_message AS message JOIN mailings_link AS link USING (mailing_id)
WHERE message.state = 'sent' AND random() < 0.07
"""

_VOUCHERS = """
INSERT INTO vouchers_voucher (definition_id, code, customer_id, origin, issued_at, valid_from, uses, state,
    block_reason)
SELECT %(definition)s, 'V' || id, id, 'bench', timestamptz %(now)s - interval '60 days', date '2026-04-16',
    (id %% 30 = 0)::int, CASE WHEN id %% 30 = 0 THEN 'redeemed' ELSE 'issued' END, ''
FROM customers_customer WHERE id %% 10 = 0 AND merged_into_id IS NULL
"""

_REDEMPTIONS = """
INSERT INTO vouchers_redemption (voucher_id, customer_id, channel, discount_cents, reference, idempotency_key,
    fingerprint, redeemed_at)
SELECT id, customer_id, 'counter', 250, '', 'bench' || id, '', timestamptz %(now)s - random() * interval '55 days'
FROM vouchers_voucher WHERE uses > 0
"""


def fill(n: int) -> None:
    """Empty the tables and fill them with ``n`` customers; statistics are fresh afterwards."""
    _rest()
    known = _known()
    values = {"n": n, "homes": max(n * 9 // 20, 1), "branches": BRANCHES, "source": known["source"], "now": NOW}
    execute("SET session_replication_role = replica")  # no triggers: nothing that they guard is at stake here
    execute("SELECT setseed(0.4)")
    execute(f"TRUNCATE {', '.join(TABLES)} RESTART IDENTITY CASCADE")
    execute(_HOUSEHOLDS, values)
    execute(_CUSTOMERS, {**values, "home": 1})
    for statement in (_MERGED, _CONTACTS, _SUBSCRIPTIONS):
        execute(statement, values)
    _fill_facts(values)
    for statement in (_TOTALS, _CONSENTS):
        execute(statement, values)
    for label, share in known["labels"].items():
        execute(_ASSIGNMENTS, {"label": label, "share": share, "now": NOW})
    for days, share, mailing in ((3, 0.5, known["mailings"][0]), (45, 0.6, known["mailings"][1])):
        execute(_MESSAGES, {"mailing": mailing, "sent": NOW - dt.timedelta(days=days), "share": share})
    execute(_CLICKS)
    execute(_VOUCHERS, {"definition": known["definition"], "now": NOW})
    execute(_REDEMPTIONS, values)
    execute("SET session_replication_role = origin")
    execute("VACUUM ANALYZE")


def _fill_facts(values: dict[str, object]) -> None:
    """Fill the table without its indexes and build those afterwards: half the time."""
    n = int(str(values["n"]))
    indexes = rows(
        """
        SELECT index.relname AS name, pg_get_indexdef(index.oid) AS definition, con.conname AS constraint,
               pg_get_constraintdef(con.oid) AS rule
        FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid
        LEFT JOIN pg_constraint AS con ON con.conindid = index.oid AND con.contype = 'u'
        WHERE indrelid = 'customers_fact'::regclass AND NOT indisprimary
        """
    )
    for index in indexes:
        execute(
            f"ALTER TABLE customers_fact DROP CONSTRAINT {index['constraint']}"
            if index["constraint"]
            else f"DROP INDEX {index['name']}"
        )
    more = {"first": 1, "facts": n * FACTS_EACH, "seconds": YEARS * 365 * 86400, "worlds": list(WORLDS)}
    execute(_FACTS, {**values, **more})
    execute("SET maintenance_work_mem = '512MB'")
    for index in indexes:
        execute(
            f"ALTER TABLE customers_fact ADD CONSTRAINT {index['constraint']} {index['rule']}"
            if index["constraint"]
            else index["definition"]
        )


def _rest() -> None:
    """What does not grow with the customers: base data, branches, worlds, labels, mailings, a voucher."""
    from customers.actions import ensure_base_data
    from customers.models import Branch, Purpose, PurposeChannel, World
    from labels.models import Label
    from mailings.models import Content, Link, Mailing
    from vouchers.models import Definition

    ensure_base_data()
    if Mailing.objects.exists():
        return
    Branch.objects.bulk_create(Branch(code=f"V{n}", name=f"Vestiging {n}") for n in range(BRANCHES))
    World.objects.bulk_create((World(code=world, name=world.title()) for world in WORLDS), ignore_conflicts=True)
    conditions = {"same_entity": True, "was_informed": True, "could_refuse": True, "own_similar": True}
    PurposeChannel.objects.filter(basis="customer_relation").update(**conditions)
    for code in LABELS:
        Label.objects.create(code=code, name=code.title(), kind="own", created_at=NOW)
    newsletter = Purpose.objects.get(code="newsletter")
    content = Content.objects.create(name="Bench", updated_at=NOW)
    for number in (1, 2):
        mailing = Mailing.objects.create(
            name=f"Nieuws {number}", origin="bench", due_key=f"bench {number}", purpose=newsletter, channels="email",
            content=content, created_at=NOW,
        )  # fmt: skip
        Link.objects.create(mailing=mailing, position=1, url="https://www.example.nl/")
    Definition.objects.create(
        name="Koffie", kind="action", benefit="free_product", product="koffie", state="active", created_at=NOW
    )


def _known() -> dict[str, Any]:
    """Return the ids that statements need."""
    from customers.models import Source
    from labels.models import Label
    from mailings.models import Mailing
    from vouchers.models import Definition

    return {
        "source": Source.objects.get(code="library").pk,
        "labels": {label.pk: LABELS[label.code] for label in Label.objects.filter(code__in=LABELS)},
        "mailings": list(Mailing.objects.order_by("pk").values_list("pk", flat=True)),
        "definition": Definition.objects.get(name="Koffie").pk,
    }
