"""Messages on paper: A4 letters for window envelopes, as one PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import override

from common.paper import fetch_font, print_html
from common.time import local_date
from mailings.compiling import INK, Compiled
from mailings.models import Picture, SendingSettings
from mailings.rendering import fill_all, in_style_of


@dataclass(frozen=True)
class Letter:
    """One letter: the lines of the address as they stand in the window, and the values for its text."""

    address_lines: Sequence[str]
    audiences: frozenset[str]
    values: dict[str, str]
    branch_id: int | None = None


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
    body = fill_all(compiled["letter"], letter.values, letter.audiences, as_html=True)
    look = compiled.get("look") or {"accent": INK, "logo": ""}  # frozen before there were styles
    return {"address_lines": letter.address_lines, "body": mark_safe(body), **look}
