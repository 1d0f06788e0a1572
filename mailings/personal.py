"""The tables of mailings with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables

TABLES = (
    PersonalTable(
        "mailings_decision",
        _("Whether you were to get a message, and why"),
        unique=(("mailing_id",),),
        about=_("For each mailing we write down whether it may go to you, and on what ground."),
        latest="decided_at",
        shown={
            "mailing_id": _("mailing"),
            "outcome": _("outcome"),
            "channel": _("channel"),
            "basis": _("legal basis"),
            "until": _("waits until"),
            "decided_at": _("decided at"),
        },
    ),
    PersonalTable(
        "mailings_earlierdecision",
        _("What we decided before about a message to you"),
        about=_("You had had enough messages for a while, so we looked again later."),
        latest="replaced_at",
        shown={
            "mailing_id": _("mailing"),
            "outcome": _("outcome"),
            "decided_at": _("decided at"),
            "replaced_at": _("until"),
        },
    ),
    PersonalTable(
        "mailings_message",
        _("Messages to you"),
        emails=("address",),
        unique=(("mailing_id",),),
        about=_("What we sent you. The text itself is not kept per person."),
        latest="state_at",
        shown={
            "mailing_id": _("mailing"),
            "channel": _("channel"),
            "address": _("address"),
            "state": _("state"),
            "sent_at": _("sent at"),
            "reply": _("answer of the mail server"),
        },
    ),
    PersonalTable(
        "mailings_suppression",
        _("Your address is blocked"),
        column="address",
        holds="address",
        merge="stay",
        about=_(
            "Your mail server refused our mail for good, you reported it as spam, or our staff blocked the address."
        ),
        latest="since",
        shown={
            "address": _("address"),
            "reason": _("reason"),
            "detail": _("explanation"),
            "since": _("since"),
            "released_at": _("until"),
        },
    ),
    PersonalTable(
        "mailings_suppressionevent", _("History of blocked addresses"), column="address", key="pgh_id",
        holds="address", merge="stay",
    ),
    PersonalTable(
        "mailings_click",
        _("Links you followed"),
        column="message_id",
        holds="parent",
        of="mailings_message",
        merge="stay",
        about=_("Which link you followed in which message."),
        latest="clicked_at",
        shown={"link_id": _("link"), "clicked_at": _("when")},
    ),
    PersonalTable(
        "mailings_machineclick",
        _("Links that programs followed in messages to you"),
        column="message_id",
        holds="parent",
        of="mailings_message",
        merge="stay",
        about=_("Programs that guard mailboxes try links before you see them. They do not count as your clicks."),
        latest="clicked_at",
        shown={"link_id": _("link"), "clicked_at": _("when"), "reason": _("reason")},
    ),
    PersonalTable(
        "mailings_bounce",
        _("What mail servers reported about mail to you"),
        column="address",
        holds="address",
        merge="stay",
        about=_("Your mail server or mail program told us that a mail did not arrive, or that you are away."),
        latest="received_at",
        shown={
            "address": _("address"),
            "kind": _("kind"),
            "status": _("status"),
            "detail": _("explanation"),
            "received_at": _("received"),
        },
    ),
    PersonalTable(
        "mailings_publishedperson",
        _("Lists for other mail tools"),
        unique=(("publication_id",),),
        about=_("Lists of people who may be written to, which we give to another mail tool. You are on these now."),
        shown={"publication_id": _("list")},
    ),
    PersonalTable(
        "mailings_confirmation",
        _("Newsletters you signed up for and have not confirmed"),
        column="address",
        holds="address",
        merge="stay",
        shown={
            "purpose_id": _("purpose"),
            "address": _("e-mail address"),
            "first_name": _("first name"),
            "last_name": _("last name"),
            "wording_version": _("wording version"),
            "asked_at": _("asked at"),
            "asked_from": _("network"),
        },
    ),
)  # fmt: skip

for table in TABLES:
    personal_tables.register(table)
