"""Texts as people compare them."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Return a text without capitals and accents."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).lower()
