"""The tables of labels with rows about a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables
from common.time import clock
from labels.system.moments import day_number


def _say_numbers(found: Sequence[dict[str, Any]]) -> None:
    """Put what a computed value is today, in euros or days, where its bare number is."""
    from labels.models import ValueDefinition  # models are there by now; registries are filled before them
    from labels.values import ComputedValue

    definitions = ValueDefinition.objects.in_bulk([row["value_id"] for row in found])
    for row in found:
        value = ComputedValue(definitions[row["value_id"]])
        words = value.words(row["number"] + value.drift * day_number(clock()))
        row["number"] = f"{words} {gettext('days')}" if value.unit == "days" else words


# The same label twice becomes one interval from the first day on. Of two labels that exclude each other the one given
# last goes on, and the other ends where it begins, as if both had been given to one person.
_SETTLE = """
WITH twice AS (
    SELECT merging.merge_id, own.id AS own, own.since AS own_since, theirs.id AS theirs, theirs.since AS their_since,
           theirs.given_by, theirs.given_how, theirs.given_through, theirs.reason,
           own.label_id = theirs.label_id AS is_same
      FROM merging
      JOIN labels_assignment AS own ON own.customer_id = merging.kept_id AND own.until IS NULL
      JOIN labels_label AS own_label ON own_label.id = own.label_id
      LEFT JOIN labels_labelgroup AS exclusive ON exclusive.id = own_label.group_id AND exclusive.is_exclusive
      JOIN labels_assignment AS theirs ON theirs.customer_id = merging.absorbed_id AND theirs.until IS NULL
      JOIN labels_label AS their_label ON their_label.id = theirs.label_id
     WHERE own.label_id = theirs.label_id OR exclusive.id = their_label.group_id
)
SELECT merge_id, theirs AS id, true AS stays,
       jsonb_build_object('until', their_since, 'taken_by', 'merge', 'taken_how', 'merge') AS changes
  FROM twice WHERE is_same
UNION ALL
SELECT merge_id, own, true, jsonb_build_object('since', their_since, 'given_by', given_by, 'reason', reason,
                                          'given_how', given_how, 'given_through', given_through)
  FROM twice WHERE is_same AND their_since < own_since
UNION ALL
SELECT merge_id, CASE WHEN their_since > own_since THEN own ELSE theirs END, false,
       jsonb_build_object('until', greatest(own_since, their_since), 'taken_by', 'merge', 'taken_how', 'merge')
  FROM twice WHERE NOT is_same
UNION ALL -- the others move as they are, and are so again when the merge is undone, whatever was taken meanwhile
SELECT merging.merge_id, theirs.id, false, '{}'
  FROM merging
  JOIN labels_assignment AS theirs ON theirs.customer_id = merging.absorbed_id AND theirs.until IS NULL
 WHERE NOT EXISTS (SELECT FROM twice WHERE twice.theirs = theirs.id AND (is_same OR their_since <= own_since))
"""

personal_tables.register(
    PersonalTable(
        "labels_assignment",
        _("Labels"),
        unique=(("label_id",), ("exclusive_group_id",)),
        where="until IS NULL",
        settle=_SETTLE,
        settles=("since", "until", "given_by", "given_how", "given_through", "reason", "taken_by", "taken_how"),
        about=_(
            "Short descriptions that we derive from what you do, or that you or our staff chose. "
            "They decide which tips you get."
        ),
        latest="since",
        shown={
            "label_id": _("label"),
            "since": _("since"),
            "until": _("until"),
            "given_by": _("given by"),
            "given_how": _("given how"),
            "reason": _("reason"),
            "taken_by": _("taken by"),
            "taken_how": _("taken how"),
            "taken_reason": _("why it was taken"),
        },
    )
)

# Of who is taken up in another the next run computes none, and of the other anew.
personal_tables.register(
    PersonalTable(
        "labels_customervalue",
        _("Computed values"),
        merge="stay",
        about=_("Numbers that we derive from what you do, such as how often you come. They decide which tips you get."),
        shown={"value_id": _("what it says"), "number": _("number")},
        say=_say_numbers,
    )
)
