"""The tables of campaigns with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from campaigns.models import Enrolment
from common.personal import PersonalTable, personal_tables

# One person takes part in a campaign once at a time: who is kept goes on where he was.
_SETTLE = """
SELECT merging.merge_id, theirs.id, true AS stays, jsonb_build_object(
           'state', 'left', 'left_at', %(now)s::timestamptz, 'left_reason', 'merged',
           'next_step_id', NULL, 'next_on', NULL) AS changes
  FROM merging
  JOIN campaigns_enrolment AS theirs ON theirs.customer_id = merging.absorbed_id AND theirs.state = 'active'
  JOIN campaigns_enrolment AS own ON own.customer_id = merging.kept_id AND own.state = 'active'
   AND own.campaign_id = theirs.campaign_id
"""

TABLES = (
    PersonalTable(
        "campaigns_enrolment",
        _("Campaigns you took part in"),
        unique=(("campaign_id",),),
        where="state = 'active'",
        settle=_SETTLE,
        settles=("state", "left_at", "left_reason", "next_step_id", "next_on"),
        about=_("Series of messages in which you are or were."),
        latest="entered_on",
        words={
            "left_reason": {"merged": _("You are in it once, as one person"), **dict(Enrolment.LeaveReason.choices)}
        },
        shown={
            "campaign_id": _("campaign"),
            "entered_on": _("entered on"),
            "entered_by": _("entered by"),
            "state": _("state"),
            "left_at": _("left at"),
            "left_reason": _("why left"),
        },
    ),
    PersonalTable(
        "campaigns_stepdone",
        _("Steps of campaigns behind you"),
        follows="enrolment_id > campaigns_enrolment",
        order=40,
    ),
    PersonalTable(
        "campaigns_happening",
        _("What set off an action"),
        unique=(("trigger_id", "happened_at"),),
        about=_("Something about you changed, and we sent you a message or took you into a series for it."),
        latest="happened_at",
        shown={"trigger_id": _("trigger"), "happened_at": _("when")},
    ),
)

for table in TABLES:
    personal_tables.register(table)
