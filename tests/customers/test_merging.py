from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from campaigns.models import Action, Campaign, Enrolment, Step, StepDone, StepRun
from common.errors import Refused
from common.personal import personal_tables
from common.sql import rows
from customers.actions import record_fact
from customers.actions.merging import merge_customers, undo_merge
from customers.actions.people import add_customer, change_customer
from customers.consents import record_consent
from customers.matching.moving import gather_stragglers
from customers.models import (
    Consent,
    Customer,
    Fact,
    FactTotal,
    Guardianship,
    MatchPair,
    Merge,
    Purpose,
    SourceRecord,
    Subscription,
)
from labels.models import Assignment, Label, LabelGroup
from mailings.models import Content, Decision, Mailing, Message
from selections.models import Membership, Selection
from tests.factories import (
    NOW,
    ConsentFactory,
    ContactPointFactory,
    CustomerFactory,
    SourceFactory,
    SubscriptionFactory,
    VoucherFactory,
)
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def person(number: str, source: str = "library", **fields: Any) -> Customer:
    """Somebody a source brought, with its record."""
    return add_customer(number=number, by="test", now=NOW - 30 * DAY, source_code=source, kind="member", **fields)


def everything() -> dict[str, Any]:
    """All rows of all tables about persons, as they stand; what merging itself writes is left out, and that an undo
    makes links worthless.
    """
    own = ("customers_matchpair", "customers_merge")
    tables = {table.table for table in personal_tables if not table.table.startswith(own)}
    state: dict[str, Any] = {}
    for table in sorted(tables):
        columns = "to_jsonb(t) - 'updated_at' - 'link_version'"
        columns += " - 'id'" if table.endswith(("facttotal", "contactpoint")) else ""
        found = rows(f"SELECT {columns} AS row FROM {table} AS t")  # noqa: S608 - tables of ours
        state[table] = sorted(str(row["row"]) for row in found)
    return state


def label(code: str, group: LabelGroup | None = None) -> Label:
    return Label.objects.create(code=code, name=code, kind="own", group=group, created_at=NOW)


def give(customer: Customer, one: Label, since: dt.datetime, until: dt.datetime | None = None) -> Assignment:
    exclusive = one.group if one.group and one.group.is_exclusive else None
    return Assignment.objects.create(
        customer=customer, label=one, since=since, until=until, given_by="test", exclusive_group=exclusive
    )


def mailing() -> Mailing:
    purpose, _ = Purpose.objects.get_or_create(code="marketing", defaults={"name": "x", "rule": "marketing"})
    content = Content.objects.create(name="x", subject="x", blocks=[], updated_at=NOW)
    return Mailing.objects.create(
        name="x", origin="by hand", due_key=f"by hand:{content.pk}", purpose=purpose, channels="email",
        content=content, created_at=NOW,
    )  # fmt: skip


@pytest.fixture
def kept(db: None) -> Customer:
    return person("100", first_name="Anna", last_name="Bos", email="anna@example.nl")


@pytest.fixture
def absorbed(db: None) -> Customer:
    return person("T-7", "theatre", first_name="Anna", last_name="Bos", phone="0612345678", email="a.bos@example.nl")


def merge(kept: Customer, absorbed: Customer, now: dt.datetime = NOW) -> Merge:
    merged = merge_customers(kept, absorbed, by="Mia", now=now)
    kept.refresh_from_db()
    absorbed.refresh_from_db()
    return merged


def test_facts_consents_subscriptions_and_vouchers_go_to_who_is_kept(kept: Customer, absorbed: Customer) -> None:
    for customer, number in ((kept, "1"), (absorbed, "2")):
        record_fact(customer, kind="loan", occurred_at=NOW - DAY, source_code="library", external_id=number)
    ConsentFactory(customer=absorbed)
    SubscriptionFactory(customer=absorbed)
    VoucherFactory(customer=absorbed)
    merge(kept, absorbed)
    assert kept.facts.count() == 2
    assert dict(FactTotal.objects.values_list("customer", "count")) == {kept.pk: 2}
    assert [kept.consents.count(), kept.subscriptions.count(), kept.vouchers.count()] == [1, 1, 1]
    assert absorbed.merged_into == kept
    assert absorbed.household is None


def test_the_fields_follow_from_the_records_of_both(kept: Customer, absorbed: Customer) -> None:
    merge(kept, absorbed)
    points = dict(kept.contact_points.values_list("value", "is_primary"))
    assert points == {"anna@example.nl": True, "a.bos@example.nl": False, "+31612345678": True}
    assert not absorbed.contact_points.exists()
    assert SourceRecord.objects.filter(customer=kept).count() == 2


def test_somebody_from_before_there_were_records_loses_nothing() -> None:
    kept = CustomerFactory(email="anna@example.nl", street="Dam")
    absorbed = CustomerFactory(email="", phone="+31612345678", source=SourceFactory(code="theatre"))
    columns = ("first_name", "street", "postal_code", "birth_date")
    before = Customer.objects.filter(pk=kept.pk).values(*columns).get()
    merged = merge(kept, absorbed)
    assert Customer.objects.filter(pk=kept.pk).values(*columns).get() == before
    assert set(kept.contact_points.values_list("value", flat=True)) == {"anna@example.nl", "+31612345678"}
    undo_merge(merged, by="Mia", now=NOW)
    assert list(absorbed.contact_points.values_list("value", flat=True)) == ["+31612345678"]


def test_what_both_have_stays_behind_and_is_not_there_twice(kept: Customer, absorbed: Customer) -> None:
    for customer in (kept, absorbed):
        record_fact(customer, kind="loan", occurred_at=NOW - DAY, source_code="library", external_id="1")
        ConsentFactory(customer=customer)
        SubscriptionFactory(customer=customer, number="A1")
    voucher = VoucherFactory(customer=kept)
    VoucherFactory(customer=absorbed, definition=voucher.definition)
    merge(kept, absorbed)
    assert FactTotal.objects.get(customer=kept).count == 1
    for model in (Fact, Consent, Subscription, Voucher):
        assert list(model.objects.order_by("customer").values_list("customer", flat=True)) == [kept.pk, absorbed.pk]


def test_the_earlier_interval_of_the_same_label_goes_on(kept: Customer, absorbed: Customer) -> None:
    reader = label("reader")
    give(kept, reader, NOW - 5 * DAY)
    theirs = give(absorbed, reader, NOW - 9 * DAY)
    merged = merge(kept, absorbed)
    assert kept.label_assignments.values_list("since", "until").get() == (NOW - 9 * DAY, None)
    theirs.refresh_from_db()
    assert (theirs.customer, theirs.until) == (absorbed, theirs.since)
    undo_merge(merged, by="Mia", now=NOW)
    assert kept.label_assignments.values_list("since", "until").get() == (NOW - 5 * DAY, None)
    assert absorbed.label_assignments.values_list("since", "until").get() == (NOW - 9 * DAY, None)


@pytest.mark.parametrize(("mine", "theirs"), [(5, 9), (9, 5)])
def test_of_labels_that_exclude_each_other_the_last_given_goes_on(
    kept: Customer, absorbed: Customer, mine: int, theirs: int
) -> None:
    group = LabelGroup.objects.create(code="phase", name="Phase", is_exclusive=True)
    give(kept, label("a", group), NOW - mine * DAY)
    give(absorbed, label("b", group), NOW - theirs * DAY)
    merged = merge(kept, absorbed)
    found = dict(kept.label_assignments.order_by("since").values_list("label__code", "until"))
    assert found == ({"b": NOW - 5 * DAY, "a": None} if mine < theirs else {"a": NOW - 5 * DAY, "b": None})
    undo_merge(merged, by="Mia", now=NOW)
    assert not Assignment.objects.exclude(until=None).exists()


def test_a_campaign_goes_on_once(kept: Customer, absorbed: Customer) -> None:
    campaign = Campaign.objects.create(name="Welkom", kind="base", created_at=NOW)
    mine, theirs = (
        Enrolment.objects.create(campaign=campaign, customer=one, entered_on=NOW.date(), entered_by="x")
        for one in (kept, absorbed)
    )
    merged = merge(kept, absorbed)
    theirs.refresh_from_db()
    assert (theirs.customer, theirs.state, theirs.left_reason) == (absorbed, "left", "merged")
    mine.refresh_from_db()
    assert mine.state == "active"
    undo_merge(merged, by="Mia", now=NOW)
    theirs.refresh_from_db()
    assert (theirs.state, theirs.left_at, theirs.left_reason) == ("active", None, "")


def test_steps_of_an_enrolment_go_where_it_goes(kept: Customer, absorbed: Customer) -> None:
    content = Content.objects.create(name="x", subject="x", blocks=[], updated_at=NOW)
    purpose = Purpose.objects.get(code="marketing")
    action = Action.objects.create(name="x", purpose=purpose, channels="email", content=content, created_at=NOW)
    stays, goes = (Campaign.objects.create(name=name, kind="base", created_at=NOW) for name in "ab")
    for campaign in (stays, goes):
        step = Step.objects.create(campaign=campaign, action=action, day=0, added_on=NOW.date())
        run = StepRun.objects.create(step=step, due_on=NOW.date(), ran_at=NOW)
        entered = Enrolment.objects.create(campaign=campaign, customer=absorbed, entered_on=NOW.date(), entered_by="x")
        StepDone.objects.create(enrolment=entered, customer=absorbed, step=step, run=run)
    Enrolment.objects.create(campaign=stays, customer=kept, entered_on=NOW.date(), entered_by="x")
    before = everything()
    merged = merge(kept, absorbed)
    owners = dict(StepDone.objects.values_list("enrolment__campaign__name", "customer"))
    assert owners == {"a": absorbed.pk, "b": kept.pk}
    undo_merge(merged, by="Mia", now=NOW)
    assert everything() == before


def test_a_stay_in_a_selection_ends_when_the_other_is_in_it_too(kept: Customer, absorbed: Customer) -> None:
    selection = Selection.objects.create(name="x", created_at=NOW, updated_at=NOW)
    for one in (kept, absorbed):
        Membership.objects.create(selection=selection, customer=one, since=NOW - DAY)
    before = everything()
    merged = merge(kept, absorbed)
    assert Membership.objects.filter(until=None).get().customer == kept
    undo_merge(merged, by="Mia", now=NOW)
    assert everything() == before


def test_messages_move_except_of_a_mailing_that_both_were_in(kept: Customer, absorbed: Customer) -> None:
    both, one = mailing(), mailing()
    for customer, which in ((kept, both), (absorbed, both), (absorbed, one)):
        Decision.objects.create(mailing=which, customer=customer, outcome="accepted", decided_at=NOW)
        Message.objects.create(mailing=which, customer=customer, channel="email", state_at=NOW, next_attempt_at=NOW)
    merge(kept, absorbed)
    assert set(kept.messages.values_list("mailing", flat=True)) == {both.pk, one.pk}
    assert list(absorbed.messages.values_list("mailing", flat=True)) == [both.pk]


def test_undoing_puts_every_row_back(kept: Customer, absorbed: Customer) -> None:
    group = LabelGroup.objects.create(code="phase", name="Phase", is_exclusive=True)
    for number, one in enumerate((kept, absorbed)):
        record_fact(one, kind="loan", occurred_at=NOW - DAY, source_code="library", external_id=str(number))
        record_fact(one, kind="loan", occurred_at=NOW - DAY, source_code="library", external_id="same")
        ConsentFactory(customer=one)
        ConsentFactory(customer=one, state="withdrawn", event_at=NOW - number * DAY)
        VoucherFactory(customer=one)
        give(one, label(f"phase-{number}", group), NOW - number * DAY)
    before = everything()
    merged = merge(kept, absorbed)
    assert everything() != before
    undo_merge(merged, by="Mia", now=NOW)
    assert everything() == before
    assert not merged.rows.exists()


def test_what_came_since_the_merge_stays_with_who_was_kept(kept: Customer, absorbed: Customer) -> None:
    merged = merge(kept, absorbed)
    record_fact(kept, kind="loan", occurred_at=NOW, source_code="library", external_id="new")
    change_customer(kept, by="Mia", now=NOW, first_name="Annemarie")
    purpose = Purpose.objects.get(code="newsletter")
    record_consent(
        kept, purpose=purpose, channel="email", state="granted", source_code="counter", actor="x", event_at=NOW
    )
    undo_merge(merged, by="Mia", now=NOW + DAY)
    assert (kept.facts.count(), absorbed.facts.count()) == (1, 0)
    assert (kept.consents.count(), absorbed.consents.count()) == (1, 0)
    kept.refresh_from_db()
    assert kept.first_name == "Annemarie"


def test_a_field_that_only_the_other_knew_goes_back_with_it(kept: Customer, absorbed: Customer) -> None:
    change_customer(absorbed, by="x", now=NOW, birth_date=dt.date(1980, 3, 14))
    SourceRecord.objects.filter(customer=kept).update(values={"kind": "member", "email": "anna@example.nl"})
    merged = merge(kept, absorbed)
    assert kept.birth_date == dt.date(1980, 3, 14)
    undo_merge(merged, by="Mia", now=NOW)
    assert Customer.objects.get(pk=kept.pk).birth_date is None
    assert not kept.contact_points.filter(channel="phone").exists()


def test_chains_are_flat_and_can_be_undone_from_either_end(kept: Customer, absorbed: Customer) -> None:
    third = person("300")
    record_fact(absorbed, kind="loan", occurred_at=NOW, source_code="library", external_id="1")
    give(absorbed, label("reader"), NOW - 3 * DAY)
    before = everything()
    first = merge(kept, absorbed)
    halfway = everything()
    second = merge(third, kept, NOW + DAY)
    absorbed.refresh_from_db()
    assert absorbed.merged_into == third
    assert third.facts.count() == 1
    undo_merge(first, by="Mia", now=NOW)
    absorbed.refresh_from_db()
    kept.refresh_from_db()
    assert (absorbed.merged_into, kept.merged_into) == (None, third)
    assert (third.facts.count(), absorbed.facts.count()) == (0, 1)
    undo_merge(second, by="Mia", now=NOW)
    assert everything() == before
    again = merge(kept, absorbed)
    second = merge(third, kept, NOW + DAY)
    undo_merge(second, by="Mia", now=NOW)
    absorbed.refresh_from_db()
    assert absorbed.merged_into == kept
    assert everything() == halfway
    undo_merge(again, by="Mia", now=NOW)
    assert everything() == before


def test_two_merges_into_one_can_be_undone_in_the_order_they_were_made(kept: Customer, absorbed: Customer) -> None:
    third, reader = person("300"), label("reader")
    for one, days in ((kept, 1), (absorbed, 3), (third, 5)):
        give(one, reader, NOW - days * DAY)
    before = everything()
    first = merge(kept, absorbed)
    second = merge(kept, third)
    assert kept.label_assignments.get().since == NOW - 5 * DAY
    undo_merge(second, by="Mia", now=NOW)
    assert kept.label_assignments.get().since == NOW - 3 * DAY
    second = merge(kept, third)
    undo_merge(first, by="Mia", now=NOW)
    assert kept.label_assignments.get().since == NOW - 5 * DAY
    undo_merge(second, by="Mia", now=NOW)
    assert everything() == before


def test_a_label_given_anew_stands_when_a_merge_is_undone(kept: Customer, absorbed: Customer) -> None:
    group = LabelGroup.objects.create(code="phase", name="Phase", is_exclusive=True)
    give(kept, label("a", group), NOW - 9 * DAY)
    theirs = give(absorbed, label("b", group), NOW - 5 * DAY)
    merged = merge(kept, absorbed)
    Assignment.objects.filter(pk=theirs.pk).update(until=NOW)
    newest = give(kept, label("c", group), NOW)
    undo_merge(merged, by="Mia", now=NOW)
    assert kept.label_assignments.get(until=None) == newest


def test_what_reaches_the_absorbed_row_late_is_gathered_and_goes_back(kept: Customer, absorbed: Customer) -> None:
    third = person("300")
    first, second = merge(kept, absorbed), merge(third, kept)
    record_fact(absorbed, kind="loan", occurred_at=NOW, source_code="library", external_id="late")
    assert gather_stragglers() == 2
    assert third.facts.count() == FactTotal.objects.get(customer=third).count == 1
    assert gather_stragglers() == 0
    undo_merge(second, by="x", now=NOW)
    assert kept.facts.count() == 1
    undo_merge(first, by="x", now=NOW)
    assert absorbed.facts.count() == FactTotal.objects.get().count == 1


def test_an_undone_merge_is_remembered_as_two_persons(kept: Customer, absorbed: Customer) -> None:
    undo_merge(merge(kept, absorbed), by="Mia", now=NOW)
    assert MatchPair.objects.get().state == "different"


def test_a_restriction_of_one_holds_for_the_person(kept: Customer, absorbed: Customer) -> None:
    Customer.objects.filter(pk=absorbed.pk).update(restricted_at=NOW)
    merged = merge(kept, absorbed)
    assert kept.restricted_at == NOW
    undo_merge(merged, by="Mia", now=NOW)
    kept.refresh_from_db()
    assert kept.restricted_at is None


def test_what_cannot_be_merged_is_refused(kept: Customer, absorbed: Customer) -> None:
    def refusal(one: Customer, other: Customer) -> str:
        with pytest.raises(Refused) as refused:
            merge_customers(one, other, by="Mia", now=NOW)
        return refused.value.code

    assert refusal(kept, kept) == "same_customer"
    Guardianship.objects.create(child=absorbed, guardian=kept, source=SourceFactory(), created_at=NOW)
    assert refusal(kept, absorbed) == refusal(absorbed, kept) == "parent_and_child"
    Guardianship.objects.all().delete()
    merged = merge(kept, absorbed)
    assert refusal(person("9"), absorbed) == refusal(absorbed, person("8")) == "already_merged"
    undo_merge(merged, by="Mia", now=NOW)
    with pytest.raises(Refused):
        undo_merge(merged, by="Mia", now=NOW)


def test_primary_addresses_stay_one_per_channel(kept: Customer, absorbed: Customer) -> None:
    ContactPointFactory(customer=kept, channel="phone", value="+31201234567")
    merge(kept, absorbed)
    assert kept.contact_points.filter(is_primary=True).count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_the_same_people_at_once_do_it_once(kept: Customer, absorbed: Customer) -> None:
    def at_once(pair: tuple[Customer, Customer]) -> str:
        try:
            merge_customers(*pair, by="x", now=NOW)
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "merged"

    with ThreadPoolExecutor(4) as pool:
        pairs = [(kept, absorbed), (absorbed, kept)] * 4
        outcomes = sorted(pool.map(at_once, pairs))
    assert outcomes == ["already_merged"] * 7 + ["merged"]
    assert Merge.objects.count() == 1
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("stays", ["200001", "200002"])
def test_of_what_one_import_said_of_both_the_word_about_who_stays_holds(stays: str) -> None:
    """A first import says everything of everybody at one moment: then the choice of staff decides."""
    first = person("200001", first_name="Margaretha", email="m@example.nl")
    second = person("200002", first_name="Greta", email="g@example.nl")
    SourceRecord.objects.update(created_at=NOW, changed={})
    kept, absorbed = (first, second) if stays == "200001" else (second, first)
    was = kept.first_name
    address = kept.contact_points.get(is_primary=True).value
    merge(kept, absorbed)
    assert (kept.first_name, kept.contact_points.get(is_primary=True).value) == (was, address)
