"""The style a mail is written in: a branch's own, and where that is silent the organisation's."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from mailings.models import HouseStyle

COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
ACCENT = "#0b5563"
#: What mail programs have on all machines.
FONTS = {
    "arial": "Arial, Helvetica, sans-serif",
    "verdana": "Verdana, Geneva, sans-serif",
    "tahoma": "Tahoma, Geneva, sans-serif",
    "trebuchet": "'Trebuchet MS', Helvetica, sans-serif",
    "georgia": "Georgia, 'Times New Roman', serif",
}
#: Names are not translated.
NETWORKS = {
    "facebook": "Facebook",
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "youtube": "YouTube",
    "tiktok": "TikTok",
    "bluesky": "Bluesky",
    "mastodon": "Mastodon",
    "whatsapp": "WhatsApp",
}


@dataclass(frozen=True)
class Logo:
    """A picture by its key, with its size in pixels."""

    key: str
    width: int
    height: int


@dataclass(frozen=True)
class Style:
    """A style with nothing left open; an empty sender is that of the sending settings."""

    accent: str = ACCENT
    font: str = FONTS["arial"]
    logo: Logo | None = None
    social: tuple[tuple[str, str], ...] = ()  # (name of the network, address)
    sender_name: str = ""
    sender_email: str = ""


def load_styles(branch_ids: Collection[int | None] = ()) -> dict[int | None, Style]:
    """Return the organisation's style (under None), and those of these branches that have one of their own."""
    found = HouseStyle.objects.filter(Q(branch=None) | Q(branch__in=[one for one in branch_ids if one]))
    rows = {row.branch_id: row for row in found.select_related("logo")}
    house = rows.pop(None, None) or HouseStyle()
    return {None: _style(house, house), **{branch_id: _style(row, house) for branch_id, row in rows.items()}}


def _style(own: HouseStyle, house: HouseStyle) -> Style:
    logo = own.logo or house.logo
    social = {**house.social, **own.social}
    return Style(
        accent=own.accent or house.accent or ACCENT,
        font=FONTS[own.font or house.font or "arial"],
        logo=Logo(str(logo.key), logo.width, logo.height) if logo else None,
        social=tuple((name, social[code]) for code, name in NETWORKS.items() if social.get(code)),
        sender_name=own.sender_name,
        sender_email=own.sender_email,
    )
