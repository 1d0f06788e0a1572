"""Which families of system labels can be worked out for a past moment: those made of facts and dates alone."""

from __future__ import annotations

from django.utils.translation import gettext as _

from labels.system import Family

#: Families whose statement asks only for facts up to a moment, for stretches of dates, or for both.
FROM_THE_PAST = frozenset({"trend", "worlds", "tickets", "ticket-trend", "ticket-favourites", "payment", "borrowing"})
#: Labels in them that ask for more: only the present kind of customer is kept.
NOT_THESE = frozenset({"borrowing-none"})


def family_gap(family: Family) -> str:
    """Return why the labels of a family cannot be worked out for the past; empty when they can."""
    if family.code in FROM_THE_PAST:
        return ""
    return (
        _("“%s” looks at what holds at present, such as addresses and totals; how that was is not kept.") % family.name
    )
