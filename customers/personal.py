"""The tables of customers with rows about a person."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.personal import PersonalTable, personal_tables
from customers.records import FIELDS

TABLES = (
    PersonalTable(
        "customers_customer",
        _("Who you are"),
        column="id",
        merge="stay",
        about=_("Your name, address and so on, as they hold now. Each comes from one of the sources below."),
        shown={
            "number": _("customer number"),
            **{field.column: field.name for field in FIELDS.values() if field.column},
            "address_state": _("post to this address"),
            "restricted_at": _("restricted since"),
            "created_at": _("created at"),
            "updated_at": _("updated at"),
        },
        words={"address_state": {"": ""}},
        order=99,
    ),
    # Who was taken up in somebody is that person too.
    PersonalTable("customers_customer:merged_into_id", _("Earlier numbers"), column="merged_into_id", merge="stay"),
    PersonalTable(
        "customers_sourcerecord",
        _("What each source says"),
        about=_(
            "The library system, the theatre, you yourself: what each of them told us. "
            "Which one we believe differs per field."
        ),
        shown={
            "source_id": _("source"),
            "key": _("number at the source"),
            "values": _("values"),
            "created_at": _("created at"),
            "updated_at": _("updated at"),
        },
    ),
    PersonalTable(
        "customers_absence",
        _("No longer known by a source"),
        column="record_id",
        key="record_id",
        holds="parent",
        of="customers_sourcerecord",
        merge="stay",
        latest="since",
        order=40,
        shown={"since": _("since")},
    ),
    PersonalTable(
        "customers_contactpoint",
        _("Addresses and numbers"),
        merge="recompute",  # what the sources say decides
        about=_("Where we can reach you."),
        latest="updated_at",
        shown={"channel": _("channel"), "value": _("value"), "source_id": _("source"), "updated_at": _("updated at")},
    ),
    PersonalTable(
        "customers_subscription",
        _("Subscriptions"),
        unique=(("source_id", "number"),),
        about=_("Your memberships, to know whether you are a member and since when."),
        latest="started_on",
        shown={
            "number": _("subscription number"),
            "name": _("name"),
            "price_cents": _("price"),
            "started_on": _("start date"),
            "ended_on": _("end date"),
            "payment_method": _("payment method"),
            "source_id": _("source"),
        },
    ),
    PersonalTable(
        "customers_customerchange",
        _("Changes by people"),
        about=_("What you or our staff changed by hand: from what to what."),
        latest="changed_at",
        shown={"fields": _("changes"), "changed_by": _("changed by"), "changed_at": _("when")},
    ),
    PersonalTable(
        "customers_note",
        _("Notes"),
        about=_("What our staff wrote down after speaking with you, so that you need not tell it twice."),
        latest="happened_at",
        shown={
            "kind": _("kind"),
            "happened_at": _("when"),
            "text": _("text"),
            "author": _("written by"),
            "source_id": _("source"),
        },
    ),
    PersonalTable(
        "customers_noteevent",
        _("Earlier texts of notes"),
        column="pgh_obj_id",
        key="pgh_id",
        holds="parent",
        of="customers_note",
        merge="stay",
        latest="pgh_id",
        shown={"text": _("text"), "author": _("written by"), "pgh_created_at": _("when")},
    ),
    PersonalTable(
        "customers_guardianship:child_id",
        _("Your parents or guardians"),
        column="child_id",
        unique=(("guardian_id",),),
        shown={"guardian_id": _("parent or guardian"), "source_id": _("source"), "created_at": _("created at")},
    ),
    PersonalTable(
        "customers_guardianship:guardian_id",
        _("Your children"),
        column="guardian_id",
        unique=(("child_id",),),
        shown={"child_id": _("child"), "source_id": _("source"), "created_at": _("created at")},
    ),
    PersonalTable(
        "customers_consent",
        _("What you allow"),
        eraser="customers_consent_erase",
        unique=(("purpose_id", "channel", "event_at", "state", "source_id"),),
        about=_("Each time you said yes or no to something, as proof. Nobody can change these rows."),
        latest="event_at",
        shown={
            "purpose_id": _("purpose"),
            "channel": _("channel"),
            "state": _("state"),
            "source_id": _("source"),
            "actor": _("by whom"),
            "wording_version": _("wording version"),
            "evidence": _("evidence"),
            "event_at": _("when"),
            "received_at": _("received at"),
        },
    ),
    PersonalTable(
        "customers_fact",
        _("What you did"),
        unique=(("source_id", "external_id"),),
        about=_(
            "Loans, visits, tickets and the like, without titles. "
            "We use them for tips that suit you, unless you object."
        ),
        latest="occurred_at",
        shown={
            "kind": _("kind"),
            "occurred_at": _("when"),
            "branch_id": _("branch"),
            "sector": _("sector"),
            "world": _("world"),
            "genre": _("genre"),
            "quantity": _("quantity"),
            "amount_cents": _("amount"),
            "duration_seconds": _("duration"),
            "source_id": _("source"),
            "external_id": _("external id"),
            "order_number": _("order"),
        },
    ),
    PersonalTable("customers_facttotal", _("Totals of what you did"), merge="recompute"),
    PersonalTable(
        "customers_factremainder",
        _("What you did longer ago"),
        unique=(("kind", "origin"),),
        shown={
            "kind": _("kind"),
            "first_at": _("first time"),
            "last_at": _("last time"),
            "count": _("count"),
            "quantity": _("quantity"),
            "amount_cents": _("amount"),
        },
    ),
    PersonalTable(
        "customers_accessrequest",
        _("Your requests for a copy of your data"),
        files=("pdf", "json"),
        shown={"asked_by": _("asked by"), "asked_at": _("asked at"), "state": _("state"), "ready_at": _("ready at")},
    ),
    PersonalTable(
        "customers_erasurerequest",
        _("Your requests to be erased"),
        shown={
            "asked_at": _("asked at"),
            "note": _("in your own words"),
            "state": _("state"),
            "answer": _("answer"),
            "decided_at": _("decided at"),
        },
    ),
    PersonalTable(
        "customers_matchpair:first_id", _("Comparisons with other customers"), column="first_id", merge="stay"
    ),
    PersonalTable(
        "customers_matchpair:second_id", _("Comparisons with other customers"), column="second_id", merge="stay"
    ),
    PersonalTable(
        "customers_merge:kept_id",
        _("Records that were merged"),
        column="kept_id",
        merge="stay",
        shown={"merged_by": _("merged by"), "merged_at": _("merged at"), "undone_at": _("undone at")},
    ),
    PersonalTable("customers_merge:absorbed_id", _("Records that were merged"), column="absorbed_id", merge="stay"),
    *(
        PersonalTable(
            f"customers_mergedrows:{side}",
            _("Rows that moved when records were merged"),
            column="merge_id",
            holds="parent",
            of=f"customers_merge:{side}",
            merge="stay",
        )
        for side in ("kept_id", "absorbed_id")
    ),
)

for table in TABLES:
    personal_tables.register(table)
