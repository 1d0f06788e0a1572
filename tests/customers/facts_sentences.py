"""Criteria over facts in Dutch; every other test of criteria takes these rows as well."""

from __future__ import annotations

from typing import Any

EUROS = "€\u00a0"
EUROS_25_TO_50 = {"at_least": 2500, "at_most": 5000}

FACTS: list[tuple[str, dict[str, Any], str]] = [
    (
        "facts.count",
        {"kind": "loan", "op": "between", "times": 2, "times_to": 5, "period": "this_year"},
        "dit jaar 2 tot en met 5 keer geleend hebben",
    ),
    (
        "facts.count",
        {"kind": "visit", "per": "day", "times": 3, "within_days": 30},
        "de afgelopen 30 dagen op minstens 3 dagen de website bezocht hebben",
    ),
    (
        "facts.count",
        {"kind": "ticket", "per": "order", "op": "at_most", "times": 1, "period": "last_year"},
        "vorig jaar in hoogstens 1 bestelling kaarten gekocht hebben",
    ),
    (
        "facts.none",
        {"kind": "loan", "period": "last", "number": 0},
        "vandaag niet geleend hebben",
    ),
    (
        "facts.count",
        {"kind": "visit", "at_least_seconds": 20, "genre": ["agenda", "nieuws"], "source": ["library"]},
        (
            "ooit minstens 1 keer de website bezocht hebben"
            " (genre agenda of nieuws, van Bibliotheeksysteem, minstens 20 seconden)"
        ),
    ),
    (
        "facts.count",
        {"kind": "ticket", "at_least_quantity": 4},
        "ooit minstens 1 keer kaarten gekocht hebben (minstens 4 tegelijk)",
    ),
    (
        "facts.last",
        {"kind": "loan", "period": "before_last", "number": 3, "unit": "month", "branch": ["EDA", "gone"]},
        "meer dan 3 maanden geleden voor het laatst geleend hebben (vestiging Edam of gone)",
    ),
    (
        "facts.last",
        {"kind": "loan", "period": "before_last", "number": 3, "unit": "month", "branch": ["EDA"], "of": "all"},
        "meer dan 3 maanden geleden voor het allerlaatst geleend hebben, en wel zo (vestiging Edam)",
    ),
    (
        "facts.first",
        {"kind": "ticket", "at_least_cents": 2500, "of": "all"},
        f"ooit voor het allereerst kaarten gekocht hebben, en wel zo (minstens {EUROS}25,00 per keer)",
    ),
    (
        "facts.first",
        {"kind": "ticket", "period": "last_month", "at_least_cents": 2500},
        f"vorige maand voor het eerst kaarten gekocht hebben (minstens {EUROS}25,00 per keer)",
    ),
    (
        "facts.sum",
        {"kind": "ticket", "figure": "average", "per": "order", "period": "last_year"} | EUROS_25_TO_50,
        f"vorig jaar gemiddeld voor {EUROS}25,00 tot en met {EUROS}50,00 per bestelling kaarten gekocht hebben",
    ),
    (
        "facts.sum",
        {"kind": "visit", "measure": "duration_seconds", "at_least": 1200},
        "ooit voor minstens 20 minuten de website bezocht hebben",
    ),
    (
        "facts.sum",
        {"kind": "ticket", "figure": "largest", "at_most": 1050},
        f"ooit in één keer voor hoogstens {EUROS}10,50 kaarten gekocht hebben",
    ),
    (
        "facts.sum",
        {"kind": "ticket", "figure": "largest", "per": "day", "at_least": 1000},
        f"ooit op één dag voor minstens {EUROS}10,00 kaarten gekocht hebben",
    ),
    (
        "facts.then",
        {
            "kind": "ticket",
            "at_least_total_cents": 5000,
            "within_days": 365,
            "then": [{"kind": "visit", "times": 2, "at_least_seconds": 20}],
        },
        (
            f"de afgelopen 365 dagen voor minstens {EUROS}50,00 in totaal kaarten gekocht hebben"
            " en daarna minstens 2 keer de website bezocht (minstens 20 seconden)"
        ),
    ),
    (
        "facts.then",
        {
            "kind": "ticket",
            "anchor": "last",
            "then": [
                {"kind": "loan", "op": "exactly", "times": 0, "within_days": 30},
                {"kind": "visit", "within_days": 0},
                {"kind": "visit", "op": "at_most", "times": 3, "branch": ["EDA"]},
            ],
        },
        (
            "ooit voor het laatst kaarten gekocht hebben en daarna binnen 30 dagen geen enkele keer geleend"
            " en daarna nog diezelfde dag minstens 1 keer de website bezocht"
            " en daarna hoogstens 3 keer de website bezocht (vestiging Edam)"
        ),
    ),
    (
        "facts.interval",
        {"kind": "loan", "at_most": 30, "period": "last", "number": 2, "unit": "year"},
        "de afgelopen 2 jaar met gemiddeld hoogstens 30 dagen ertussen geleend hebben (op minstens 3 dagen)",
    ),
    (
        "facts.interval",
        {"kind": "loan", "at_least": 7, "at_most": 21, "per": "fact", "visits": 5},
        "ooit met gemiddeld 7 tot en met 21 dagen ertussen geleend hebben (minstens 5 keer)",
    ),
    (
        "facts.due",
        {"kind": "ticket"},
        "ooit kaarten gekocht hebben (op minstens 3 dagen) en nu meer dan 1 keer hun gewone tussentijd wegblijven",
    ),
    (
        "facts.due",
        {"kind": "ticket", "percent": 150, "percent_to": 300, "visits": 4},
        "ooit kaarten gekocht hebben (op minstens 4 dagen) en nu 1,5 tot 3 keer hun gewone tussentijd wegblijven",
    ),
]  # fmt: skip
