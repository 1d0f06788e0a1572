"""From HTML to paper: PDF, with only what ``fetch`` gives; nothing comes from another machine."""

from __future__ import annotations

from collections.abc import Callable
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
    path = finders.find(f"vendor/inter/inter-{url.partition(':')[2]}-wght-normal.woff2")
    return Path(str(path)).read_bytes(), "font/woff2"


def print_html(html: str, *, fetch: Fetch = fetch_nothing, variant: str | None = "pdf/ua-1") -> bytes:
    """Return a PDF. What prints is loaded here: it takes 30 MB, which most processes never need."""
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Ours(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            body, kind = fetch(url)
            return URLFetcherResponse(url, body, {"Content-Type": kind} if kind else None)

    return bytes(HTML(string=html, url_fetcher=Ours(allowed_protocols=())).write_pdf(pdf_variant=variant))
