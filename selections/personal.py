"""The tables of selections with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

# One person is in a selection once: the stay of who is kept goes on.
_SETTLE = """
SELECT merging.merge_id, theirs.id, true AS stays, jsonb_build_object('until', %(now)s::timestamptz) AS changes
  FROM merging
  JOIN selections_membership AS theirs ON theirs.customer_id = merging.absorbed_id AND theirs.until IS NULL
  JOIN selections_membership AS own ON own.customer_id = merging.kept_id AND own.until IS NULL
   AND own.selection_id = theirs.selection_id
"""

personal_tables.register(
    PersonalTable(
        "selections_membership",
        _("Selections you were in"),
        unique=(("selection_id",),),
        where="until IS NULL",
        settle=_SETTLE,
        settles=("until",),
        about=_("Groups of customers that we keep an eye on, to write when somebody enters one."),
        latest="since",
        shown={"selection_id": _("selection"), "since": _("since"), "until": _("until")},
    )
)

personal_tables.register(
    PersonalTable(
        "selections_resultmember",
        _("Lists you were kept in"),
        unique=(("result_set_id",),),
        about=_("Groups of customers as they were at a moment, kept to compare with later."),
        shown={"result_set_id": _("list")},
    )
)
