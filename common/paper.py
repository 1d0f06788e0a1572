"""From HTML to paper: PDF, with only what ``fetch`` gives; nothing comes from another machine."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders

#: Address -> (its bytes, their content type when that matters); raises ValueError for what may not be fetched.
Fetch = Callable[[str], tuple[bytes, str]]


def fetch_nothing(url: str) -> tuple[bytes, str]:
    """Refuse every address."""
    raise ValueError("paper fetches nothing from elsewhere")


def fetch_font(url: str) -> tuple[bytes, str]:
    """Return our own fonts (``font:latin``); raises ValueError for any other address."""
    if url not in {"font:latin", "font:latin-ext"}:
        return fetch_nothing(url)
    return _unpacked(url.partition(":")[2]), "font/ttf"


@cache
def _unpacked(name: str) -> bytes:
    """Unpack a font once per process (two take 300 kB together): it takes longer than laying out a letter does."""
    from fontTools.ttLib.woff2 import decompress

    font = BytesIO()
    with Path(str(finders.find(f"vendor/inter/inter-{name}-wght-normal.woff2"))).open("rb") as packed:
        decompress(packed, font)
    return font.getvalue()


def print_html(html: str, *, fetch: Fetch = fetch_nothing, variant: str | None = "pdf/ua-1") -> bytes:
    """Return a PDF. What prints is loaded here: it takes 30 MB, which most processes never need."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Ours(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            body, kind = fetch(url)
            return URLFetcherResponse(url, body, {"Content-Type": kind} if kind else None)

    return bytes(HTML(string=html, url_fetcher=Ours(allowed_protocols=())).write_pdf(pdf_variant=variant))
