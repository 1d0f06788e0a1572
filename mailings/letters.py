"""Messages on paper: A4 letters for window envelopes, as one PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.paper import fetch_font, print_html
from common.time import local_date
from mailings.compiling import INK, Compiled, Piece, Segment
from mailings.content import belongs
from mailings.fitting import POINTS, Room, fit
from mailings.models import Picture, SendingSettings
from mailings.rendering import fill, in_style_of
from vouchers.drawings import barcode_svg

#: What the window shows below the code of the letter; the template has a class for each size.
WINDOW = Room(83 * POINTS, 29 * POINTS, (10.5, 9, 8, 7))


@dataclass(frozen=True)
class Reader:
    """One of those who share a letter: what only he gets stands under his name."""

    name: str
    audiences: frozenset[str]
    values: Mapping[str, str]


@dataclass(frozen=True)
class Letter:
    """One letter: the lines of the address as they stand in the window, and the values for its text.

    ``code`` tells which it is when it comes back; ``readers`` are those who share it, when they are more than one.
    """

    address_lines: Sequence[str]
    audiences: frozenset[str]
    values: Mapping[str, str]
    branch_id: int | None = None
    code: str = ""
    readers: Sequence[Reader] = ()


def fetch_own(url: str) -> tuple[bytes, str]:
    """Return our own pictures (``picture:<key>``) and fonts; raises ValueError for any other address."""
    scheme, _colon, name = url.partition(":")
    if scheme != "picture":
        return fetch_font(url)
    with Picture.objects.get(key=name).file.open("rb") as file:
        return file.read(), ""


def print_pdf(letters: Sequence[Letter], *, compiled: Compiled, identity: SendingSettings, now: dt.datetime) -> bytes:
    """Return the letters as one PDF (PDF/UA), each beginning on a page of its own."""
    with override(settings.LANGUAGE_CODE):
        html = letters_html(letters, compiled=compiled, identity=identity, now=now)
        return print_html(html, fetch=fetch_own)


def letters_html(letters: Sequence[Letter], *, compiled: Compiled, identity: SendingSettings, now: dt.datetime) -> str:
    """Return the letters as the HTML that is printed."""
    pages = [_page(letter, in_style_of(compiled, letter.branch_id)) for letter in letters]
    context = {"letters": pages, "identity": identity, "day": local_date(now), "language": settings.LANGUAGE_CODE}
    return render_to_string("letter/letter.html", context)


def _page(letter: Letter, compiled: Compiled) -> dict[str, Any]:
    look = compiled.get("look") or {"accent": INK, "logo": ""}  # frozen before there were styles
    return {
        "to": fit(letter.address_lines, WINDOW),
        "code": letter.code,
        "barcode": barcode_svg(letter.code) if letter.code else "",
        "body": mark_safe(_levelled("".join(_body(letter, compiled["letter"])))),
        **look,
    }


def _body(letter: Letter, segments: Sequence[Segment]) -> Iterator[str]:
    """Yield the blocks; one that is personal comes once for each who shares the letter."""
    for audience, pieces in segments:
        if letter.readers and _is_personal(pieces):
            for reader in letter.readers:
                if belongs(audience, reader.audiences):
                    yield format_html('<p class="whose">{}</p>', _("For %(name)s") % {"name": reader.name})
                    yield fill(pieces, reader.values, as_html=True)
        elif any(belongs(audience, one) for one in _groups(letter)):
            yield fill(pieces, letter.values, as_html=True)


def _groups(letter: Letter) -> list[frozenset[str]]:
    """Return the audiences of each reader: what is for who belongs to two is not for two who belong to one each."""
    return [reader.audiences for reader in letter.readers] or [letter.audiences]


def _levelled(body: str) -> str:
    """Return the body with headings that skip no level below the letter's own, as PDF/UA asks; they look as they did.

    Our blocks write ``<h2>`` and ``<h3>``; what somebody is called is escaped, and is never one.
    """
    before, heading, rest = body.partition("<h2")
    return before.replace("<h3>", '<h2 class="small">').replace("</h3>", "</h2>") + heading + rest


def _is_personal(pieces: Sequence[Piece]) -> bool:
    """Whether a block has slots of its own, such as the code of a voucher; merge fields have no colon."""
    return any(isinstance(piece, list) and ":" in str(piece[0]) for piece in pieces)
