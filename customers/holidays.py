"""The school holidays that every installation starts with, as the ministry of education (OCW) published them.

Where each year was read stands in docs/decisions.md. Staff correct them, and add later years. Autumn and spring
holidays are advice, from which a school may differ; May is the one week that all share.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

REGIONS = ("noord", "midden", "zuid")

#: First year of the school year -> name -> first and last day, per region in the order of ``REGIONS`` or for all.
OFFICIAL: dict[int, dict[str, tuple[str, ...]]] = {
    2023: {
        "herfst": ("2023-10-21 2023-10-29", "2023-10-14 2023-10-22", "2023-10-14 2023-10-22"),
        "kerst": ("2023-12-23 2024-01-07",),
        "voorjaar": ("2024-02-17 2024-02-25", "2024-02-17 2024-02-25", "2024-02-10 2024-02-18"),
        "mei": ("2024-04-27 2024-05-05",),
        "zomer": ("2024-07-20 2024-09-01", "2024-07-13 2024-08-25", "2024-07-06 2024-08-18"),
    },
    2024: {
        "herfst": ("2024-10-26 2024-11-03", "2024-10-26 2024-11-03", "2024-10-19 2024-10-27"),
        "kerst": ("2024-12-21 2025-01-05",),
        "voorjaar": ("2025-02-15 2025-02-23", "2025-02-22 2025-03-02", "2025-02-22 2025-03-02"),
        "mei": ("2025-04-26 2025-05-04",),
        "zomer": ("2025-07-12 2025-08-24", "2025-07-19 2025-08-31", "2025-07-05 2025-08-17"),
    },
    2025: {
        "herfst": ("2025-10-18 2025-10-26", "2025-10-18 2025-10-26", "2025-10-11 2025-10-19"),
        "kerst": ("2025-12-20 2026-01-04",),
        "voorjaar": ("2026-02-21 2026-03-01", "2026-02-14 2026-02-22", "2026-02-14 2026-02-22"),
        "mei": ("2026-04-25 2026-05-03",),
        "zomer": ("2026-07-04 2026-08-16", "2026-07-18 2026-08-30", "2026-07-11 2026-08-23"),
    },
    2026: {
        "herfst": ("2026-10-10 2026-10-18", "2026-10-17 2026-10-25", "2026-10-17 2026-10-25"),
        "kerst": ("2026-12-19 2027-01-03",),
        "voorjaar": ("2027-02-20 2027-02-28", "2027-02-20 2027-02-28", "2027-02-13 2027-02-21"),
        "mei": ("2027-04-24 2027-05-02",),
        "zomer": ("2027-07-10 2027-08-22", "2027-07-17 2027-08-29", "2027-07-24 2027-09-05"),
    },
    2027: {
        "herfst": ("2027-10-16 2027-10-24", "2027-10-16 2027-10-24", "2027-10-23 2027-10-31"),
        "kerst": ("2027-12-25 2028-01-09",),
        "voorjaar": ("2028-02-19 2028-02-27", "2028-02-26 2028-03-05", "2028-02-26 2028-03-05"),
        "mei": ("2028-04-29 2028-05-07",),
        "zomer": ("2028-07-15 2028-08-27", "2028-07-08 2028-08-20", "2028-07-22 2028-09-03"),
    },
    2028: {
        "herfst": ("2028-10-14 2028-10-22", "2028-10-21 2028-10-29", "2028-10-21 2028-10-29"),
        "kerst": ("2028-12-23 2029-01-07",),
        "voorjaar": ("2029-02-17 2029-02-25", "2029-02-17 2029-02-25", "2029-02-10 2029-02-18"),
        "mei": ("2029-04-28 2029-05-06",),
        "zomer": ("2029-07-21 2029-09-02", "2029-07-07 2029-08-19", "2029-07-14 2029-08-26"),
    },
}


def official() -> list[dict[str, Any]]:
    """Return the official holidays as fields of ``SchoolHoliday``."""
    return [
        {
            "region": region,
            "name": name,
            "school_year": year,
            "first_day": dt.date.fromisoformat(stretch[:10]),
            "last_day": dt.date.fromisoformat(stretch[11:]),
        }
        for year, names in OFFICIAL.items()
        for name, stretches in names.items()
        for region, stretch in zip(REGIONS, stretches * len(REGIONS) if len(stretches) == 1 else stretches, strict=True)
    ]


def ensure_holidays(get_model: Callable[[str], Any]) -> None:
    """Add the official holidays that are missing; what is there stays as staff have it. Serves migrations too."""
    model = get_model("SchoolHoliday")
    model.objects.bulk_create([model(**fields) for fields in official()], ignore_conflicts=True)
