"""The sites as the endpoint needs them, kept in the process for a few seconds so that a hit asks for nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from website.hits import Rule
from website.models import Site

FRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Known:
    """A site in use."""

    pk: int
    hosts: frozenset[str]
    is_app: bool
    keeps_queries: bool
    keeps_pages: bool
    rules: tuple[Rule, ...]

    def expects(self, host: str) -> bool:
        """Tell whether pages of this host may send hits; an app has none."""
        return host in self.hosts if host else self.is_app


_lock = threading.Lock()
_known: dict[str, Known] = {}
_read_at = float("-inf")


def find_site(key: str) -> Known | None:
    """Return the site with this key, or None when there is none in use."""
    global _known, _read_at
    with _lock:
        if time.monotonic() - _read_at > FRESH_SECONDS:
            _known, _read_at = _read(), time.monotonic()
        return _known.get(key)


def forget_sites() -> None:
    """Read the sites anew at the next hit."""
    global _read_at  # noqa: PLW0603
    with _lock:
        _read_at = float("-inf")


def _read() -> dict[str, Known]:
    sites = Site.objects.filter(is_active=True).prefetch_related("rules__world")
    return {
        site.key: Known(
            pk=site.pk,
            hosts=frozenset(site.hosts),
            is_app=site.is_app,
            keeps_queries=site.keeps_queries,
            keeps_pages=site.keeps_pages,
            rules=tuple(
                Rule(rule.prefix, rule.section, rule.world.code if rule.world else "") for rule in site.rules.all()
            ),
        )
        for site in sites
    }
