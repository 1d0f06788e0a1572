"""Messages on paper: A4 letters for window envelopes, as one PDF."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import override
from weasyprint import HTML
from weasyprint.urls import URLFetcher, URLFetcherResponse

from common.time import local_date
from mailings.compiling import Compiled
from mailings.models import Picture, SendingSettings
from mailings.rendering import fill_all

FONT = "vendor/inter/inter-latin-wght-normal.woff2"
FONT_EXTENDED = "vendor/inter/inter-latin-ext-wght-normal.woff2"


@dataclass(frozen=True)
class Letter:
    """One letter: the lines of the address as they stand in the window, and the values for its text."""

    address_lines: Sequence[str]
    audiences: frozenset[str]
    values: dict[str, str]


class HouseFetcher(URLFetcher):  # type: ignore[misc]
    """Fetch our own pictures (``picture:<key>``) and fonts (``font:latin``), and nothing else from anywhere."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("picture", "font"))

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """Return the bytes of a picture or font; raises ValueError for any other address."""
        scheme, _colon, name = url.partition(":")
        if scheme == "font" and name in {"latin", "latin-ext"}:
            body = _static_bytes(FONT if name == "latin" else FONT_EXTENDED)
            return URLFetcherResponse(url, body, {"Content-Type": "font/woff2"})
        if scheme == "picture":
            with Picture.objects.get(key=name).file.open("rb") as file:
                return URLFetcherResponse(url, file.read())
        raise ValueError("letters fetch nothing from elsewhere")


def _static_bytes(name: str) -> bytes:
    return Path(str(finders.find(name))).read_bytes()


def print_pdf(letters: Sequence[Letter], *, compiled: Compiled, identity: SendingSettings, now: dt.datetime) -> bytes:
    """Return the letters as one PDF (PDF/UA), each beginning on a page of its own."""
    with override(settings.LANGUAGE_CODE):
        html = letters_html(letters, compiled=compiled, identity=identity, now=now)
        return bytes(HTML(string=html, url_fetcher=HouseFetcher()).write_pdf(pdf_variant="pdf/ua-1"))


def letters_html(letters: Sequence[Letter], *, compiled: Compiled, identity: SendingSettings, now: dt.datetime) -> str:
    """Return the letters as the HTML that is printed."""
    pages = [
        {
            "address_lines": letter.address_lines,
            "body": mark_safe(fill_all(compiled["letter"], letter.values, letter.audiences, as_html=True)),
        }
        for letter in letters
    ]
    context = {"letters": pages, "identity": identity, "day": local_date(now), "language": settings.LANGUAGE_CODE}
    return render_to_string("letter/letter.html", context)
