"""The same figures for the whole, and per channel, branch, mail domain and audience."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """People in one group: ``key`` is a channel, id of a branch, mail domain, audience ("selection:3") or, of a single
    mailing, id of a version in a test; empty for who has none. Somebody may be in several audiences.
    """

    dimension: str
    key: str
    sent: int = 0
    bounced: int = 0
    complained: int = 0
    clicked: int = 0
    did: int = 0


NOBODY = Group("all", "")


def whole(found: list[Group]) -> Group:
    """Return the group of everybody."""
    return next((group for group in found if group.dimension == "all"), NOBODY)
