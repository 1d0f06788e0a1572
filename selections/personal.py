"""The tables of selections with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

# One person is in a selection once: the stay of who is kept goes on.
_SETTLE = """
SELECT theirs.id, true AS stays, jsonb_build_object('until', %(now)s::timestamptz) AS changes
  FROM selections_membership AS theirs
  JOIN selections_membership AS own ON own.selection_id = theirs.selection_id
 WHERE theirs.customer_id = %(absorbed)s AND own.customer_id = %(kept)s
   AND theirs.until IS NULL AND own.until IS NULL
"""

personal_tables.register(
    PersonalTable(
        "selections_membership",
        _("Selections you were in"),
        unique=(("selection_id",),),
        where="until IS NULL",
        settle=_SETTLE,
        shown={"selection_id": _("selection"), "since": _("since"), "until": _("until")},
    )
)
