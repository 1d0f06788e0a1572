"""What every installation starts with: sources, purposes and worlds. Staff may rename them; the codes stay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# Who tells us something. Names are data, in the language of the organisation.
SOURCES = {
    "library": "Bibliotheeksysteem",
    "theatre": "Theaterkassa",
    "website": "Website",
    "mijnmenu": "MijnMenu",
    "counter": "Balie",
    "phone": "Telefoon",
    "workbench": "Werkbank",
    "api": "Koppeling (API)",
    "import": "Bestand",
    "mailings": "Mailings",
    "vouchers": "Bonnen",
}
# Who is believed first when sources differ (lower wins; among equals what was said last). What people tell about their
# address and number to mail goes before any system's.
SOURCE_KINDS = {
    "library": ("system", 10),
    "theatre": ("system", 20),
    "api": ("system", 20),
    "import": ("system", 20),
    "website": ("people", 10),
    "mijnmenu": ("people", 10),
    "counter": ("people", 10),
    "phone": ("people", 10),
    "workbench": ("people", 10),
    "mailings": ("product", 90),
    "vouchers": ("product", 90),
}
FIELDS_OF_PEOPLE = {"email": 5, "phone": 5}

# code: name, what customers read about it in MijnMenu, rule
PURPOSES = {
    "service": (
        "Service",
        "Berichten die bij uw lidmaatschap horen, bijvoorbeeld over een reservering of een betaling.",
        "service",
    ),
    "marketing": (
        "Aanbiedingen en activiteiten",
        "Tips, uitnodigingen, aanbiedingen en bonnen die bij u passen.",
        "marketing",
    ),
    "newsletter": ("Nieuwsbrief", "De algemene nieuwsbrief.", "opt_in"),
    "profiling": (
        "Persoonlijke tips",
        (
            "Wij kijken welke soorten boeken u leent en welke voorstellingen u bezoekt, om u tips op maat te "
            "geven. Titels bewaren wij niet."
        ),
        "opt_in",
    ),
    "open_tracking": (
        "Zien of u onze mails opent",
        (
            "Wij kijken of u onze mails opent, om te weten wat u leest. Zonder uw ja tellen wij alleen hoe vaak een "
            "mail in totaal geopend is, en weten wij niet door wie."
        ),
        "opt_in",
    ),
}

WORLDS = {
    "jeugd": "Jeugd",
    "fictie": "Fictie",
    "spanning": "Spanning",
    "romantiek": "Romantiek",
    "reizen": "Reizen",
    "koken-en-wonen": "Koken en wonen",
    "geschiedenis": "Geschiedenis",
    "gezondheid": "Gezondheid",
    "kunst-en-cultuur": "Kunst en cultuur",
    "mens-en-maatschappij": "Mens en maatschappij",
}


def ensure_rows(get_model: Callable[[str], Any]) -> None:
    """Add the rows that are missing; leave what is there as staff have it. ``get_model`` serves migrations
    too.
    """

    def add(model: str, rows: list[dict[str, str]]) -> None:
        manager = get_model(model).objects
        known = set(manager.values_list("code", flat=True))
        manager.bulk_create(
            [get_model(model)(**row) for row in rows if row["code"] not in known], ignore_conflicts=True
        )

    add("Source", [{"code": code, "name": name} for code, name in SOURCES.items()])
    add("World", [{"code": code, "name": name} for code, name in WORLDS.items()])
    add(
        "Purpose",
        [
            {"code": code, "name": name, "description": description, "rule": rule}
            for code, (name, description, rule) in PURPOSES.items()
        ],
    )
