"""What persons leave behind among visits: the words of who was recognised, until the night counts and removes them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.sql import execute
from common.traces import Persons, Trace, traces


def _forget_hits(persons: Persons) -> int:
    """Remove the hits of the visits in which they said who they are; those that others made in them too."""
    return execute(
        """
        DELETE FROM website_hit AS hit USING website_identification AS said
        WHERE said.site_id = hit.site_id AND said.visit = hit.visit AND said.customer_id = ANY(%(ids)s)
        """,
        {"ids": list(persons.ids)},
    )


traces.register(Trace("hits", _("Visits of today to our websites"), _forget_hits))
