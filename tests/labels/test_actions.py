from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.errors import Refused
from customers.models import Customer
from labels.actions import (
    change_group,
    change_label,
    choose_labels,
    create_group,
    create_label,
    end_labels,
    ensure_system_labels,
    give_label,
    merge_labels,
    set_rule,
    take_label,
)
from labels.models import Assignment, Label, LabelGroup
from selections.actions import archive_selection, create_selection
from selections.usages import uses_of
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
EVERYBODY = Customer.objects.all()


def only(*customers: Customer):  # type: ignore[no-untyped-def]
    return Customer.objects.filter(pk__in=[customer.pk for customer in customers])


def history(label: Label) -> list[tuple[int, dt.datetime, dt.datetime | None]]:
    return list(label.assignments.order_by("since", "customer_id").values_list("customer_id", "since", "until"))


@pytest.fixture
def red(now: dt.datetime) -> Label:
    return create_label(code="rood", name="Rood", kind="own", now=now)


@pytest.fixture
def stages(now: dt.datetime) -> dict[str, Label]:
    group = create_group(name="Fase", is_exclusive=True)
    names = ("Bezoeker", "Prospect", "Ambassadeur")
    return {name: create_label(name=name, kind="own", group=group, now=now) for name in names}


def test_a_label_gets_a_code_of_its_name_that_is_free(marketeer: User, now: dt.datetime) -> None:
    codes = [create_label(name="Jonge ouders!", kind="own", by=marketeer, now=now).code for _n in range(3)]
    assert codes == ["jonge-ouders", "jonge-ouders-2", "jonge-ouders-3"]
    event = Label.objects.get(code=codes[0]).events.get()  # type: ignore[attr-defined]
    assert event.pgh_context.metadata["user"] == marketeer.pk


@pytest.mark.parametrize(
    ("kind", "code", "expected"), [("system", "nieuw", "system_label"), ("own", "rood", "code_taken")]
)
def test_a_label_that_cannot_be_made_says_why(
    red: Label, now: dt.datetime, kind: str, code: str, expected: str
) -> None:
    with pytest.raises(Refused) as refused:
        create_label(code=code, name="Nieuw", kind=kind, now=now)
    assert refused.value.code == expected


def test_own_labels_stay_out_of_the_groups_of_system_labels(red: Label, now: dt.datetime) -> None:
    ensure_system_labels(now=now)
    group = LabelGroup.objects.get(code="borrowing")
    for attempt in (
        lambda: create_label(name="Nieuw", kind="own", group=group, now=now),
        lambda: change_label(red, group=group),
        lambda: change_group(group, name="Anders", is_exclusive=False),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code == "system_group"


def test_giving_is_one_statement_for_everybody_and_repeating_gives_nothing(red: Label, now: dt.datetime) -> None:
    CustomerFactory.create_batch(5)
    with CaptureQueriesContext(connection) as queries:
        assert give_label(red, EVERYBODY, by="Petra", reason="selectie Leden", now=now) == 5
    assert len([query for query in queries if "labels_assignment" in query["sql"]]) == 1
    assert give_label(red, EVERYBODY, by="Jan", now=now + DAY) == 0
    rows = set(red.assignments.values_list("given_by", "reason", "since"))
    assert rows == {("Petra", "selectie Leden", now)}


def test_taking_ends_the_interval_and_giving_again_starts_another(red: Label, now: dt.datetime) -> None:
    customer, other = CustomerFactory.create_batch(2)
    give_label(red, only(customer, other), by="Petra", now=now)
    assert take_label(red, only(customer), by="Jan", reason="vergissing", now=now + DAY) == 1
    assert take_label(red, only(customer), by="Jan", now=now + DAY) == 0
    give_label(red, only(customer), by="Petra", now=now + 2 * DAY)
    assert history(red) == [
        (customer.pk, now, now + DAY),
        (other.pk, now, None),
        (customer.pk, now + 2 * DAY, None),
    ]
    ended = red.assignments.get(until=now + DAY)
    assert (ended.taken_by, ended.taken_reason, ended.taken_how) == ("Jan", "vergissing", "hand")


def test_who_had_a_label_at_a_moment_can_be_asked_afterwards(red: Label, now: dt.datetime) -> None:
    customer = CustomerFactory()
    give_label(red, only(customer), by="Petra", now=now)
    take_label(red, only(customer), by="Petra", now=now + DAY)
    at = [Assignment.objects.at(now + offset).count() for offset in (-DAY, 0 * DAY, DAY / 2, DAY, 2 * DAY)]
    assert at == [0, 1, 1, 0, 0]


def test_nobody_gets_a_label_that_is_out_of_use(red: Label, now: dt.datetime) -> None:
    customer = CustomerFactory()
    give_label(red, only(customer), by="Petra", now=now)
    change_label(red, is_active=False)
    with pytest.raises(Refused) as refused:
        give_label(red, EVERYBODY, by="Petra", now=now)
    assert refused.value.code == "inactive"
    assert take_label(red, EVERYBODY, by="Petra", now=now + DAY) == 1


@pytest.mark.parametrize("kind", ["system", "customer"])
def test_labels_of_the_system_and_of_customers_are_not_given_by_hand(now: dt.datetime, kind: str) -> None:
    label = Label.objects.create(code="x", name="X", kind=kind, created_at=now)
    for act in (give_label, take_label):
        with pytest.raises(Refused) as refused:
            act(label, EVERYBODY, by="Petra", now=now)
        assert refused.value.code == f"{kind}_label"


def test_in_an_exclusive_group_one_label_replaces_the_other(
    stages: dict[str, Label], red: Label, now: dt.datetime
) -> None:
    mover, stayer = CustomerFactory.create_batch(2)
    give_label(red, EVERYBODY, by="Petra", now=now)
    give_label(stages["Bezoeker"], EVERYBODY, by="Petra", now=now)
    give_label(stages["Prospect"], only(mover), by="Jan", now=now + DAY)
    assert history(stages["Bezoeker"]) == [(mover.pk, now, now + DAY), (stayer.pk, now, None)]
    assert history(stages["Prospect"]) == [(mover.pk, now + DAY, None)]
    assert red.assignments.open().count() == 2
    assert stages["Bezoeker"].assignments.get(until=now + DAY).taken_by == "Jan"


def test_a_selection_of_who_has_one_label_of_a_group_may_be_given_another(
    stages: dict[str, Label], now: dt.datetime
) -> None:
    CustomerFactory.create_batch(3)
    give_label(stages["Bezoeker"], EVERYBODY, by="Petra", now=now)
    visitors = Customer.objects.filter(
        label_assignments__label=stages["Bezoeker"], label_assignments__until__isnull=True
    )
    assert give_label(stages["Prospect"], visitors, by="Petra", now=now + DAY) == 3
    assert visitors.count() == 0


def test_the_database_itself_refuses_two_labels_of_an_exclusive_group(
    stages: dict[str, Label], now: dt.datetime
) -> None:
    customer = CustomerFactory()
    give_label(stages["Bezoeker"], EVERYBODY, by="Petra", now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            label=stages["Prospect"],
            customer=customer,
            exclusive_group=stages["Prospect"].group,
            since=now,
            given_by="test",
        )


def test_a_group_becomes_exclusive_only_while_nobody_has_two_of_its_labels(now: dt.datetime) -> None:
    customer = CustomerFactory()
    group = create_group(name="Fase")
    one, two = (create_label(name=name, kind="own", group=group, now=now) for name in ("Een", "Twee"))
    give_label(one, EVERYBODY, by="Petra", now=now)
    give_label(two, EVERYBODY, by="Petra", now=now)
    with pytest.raises(Refused) as refused:
        change_group(group, name="Fase", is_exclusive=True)
    assert refused.value.code == "group_conflict"
    take_label(two, only(customer), by="Petra", now=now + DAY)
    group.refresh_from_db()
    change_group(group, name="Fase", is_exclusive=True)
    one.refresh_from_db()
    two.refresh_from_db()
    give_label(two, EVERYBODY, by="Petra", now=now + 2 * DAY)
    assert list(customer.label_assignments.open().values_list("label__name", flat=True)) == ["Twee"]


def test_a_held_label_moves_into_an_exclusive_group_only_without_conflict(
    stages: dict[str, Label], red: Label, now: dt.datetime
) -> None:
    CustomerFactory()
    give_label(red, EVERYBODY, by="Petra", now=now)
    give_label(stages["Bezoeker"], EVERYBODY, by="Petra", now=now)
    with pytest.raises(Refused) as refused:
        change_label(red, group=stages["Bezoeker"].group)
    assert refused.value.code == "group_conflict"
    red.refresh_from_db()
    assert red.group is None
    take_label(stages["Bezoeker"], EVERYBODY, by="Petra", now=now + DAY)
    change_label(red, group=stages["Bezoeker"].group)
    give_label(stages["Prospect"], EVERYBODY, by="Petra", now=now + 2 * DAY)
    assert red.assignments.open().count() == 0


def test_a_system_label_cannot_be_changed(now: dt.datetime) -> None:
    ensure_system_labels(now=now)
    with pytest.raises(Refused):
        change_label(Label.objects.get(code="borrowing-heavy"), name="Anders")


@pytest.fixture
def interests(now: dt.datetime) -> dict[str, Label]:
    codes = ("reizen", "koken", "muziek")
    return {code: create_label(code=code, name=code, kind="customer", now=now) for code in codes}


def chosen(customer: Customer) -> set[str]:
    return set(customer.label_assignments.open().values_list("label__code", flat=True))


def test_a_customer_has_exactly_what_he_chose(interests: dict[str, Label], red: Label, now: dt.datetime) -> None:
    customer, other = CustomerFactory.create_batch(2)
    give_label(red, EVERYBODY, by="Petra", now=now)
    choose_labels(customer, codes=["reizen", "koken"], now=now)
    choose_labels(customer, codes=["koken", "muziek"], now=now + DAY)
    assert chosen(customer) == {"koken", "muziek", "rood"}
    assert chosen(other) == {"rood"}
    assert history(interests["koken"]) == [(customer.pk, now, None)]
    assert history(interests["reizen"]) == [(customer.pk, now, now + DAY)]
    assert set(interests["reizen"].assignments.values_list("given_by", "taken_by")) == {("customer", "customer")}


def test_a_customer_chooses_only_what_may_be_chosen(interests: dict[str, Label], red: Label, now: dt.datetime) -> None:
    customer = CustomerFactory()
    change_label(interests["muziek"], is_active=False)
    for codes in (["rood"], ["muziek"], ["bestaat-niet"], ["a\0b"], ["reizen", "rood"]):
        with pytest.raises(Refused) as refused:
            choose_labels(customer, codes=codes, now=now)
        assert refused.value.code == "unknown_label"
    assert chosen(customer) == set()


def test_a_customer_chooses_one_of_an_exclusive_group(now: dt.datetime) -> None:
    customer = CustomerFactory()
    group = create_group(name="Hoe vaak", is_exclusive=True)
    for code in ("vaak", "soms"):
        create_label(code=code, name=code, kind="customer", group=group, now=now)
    with pytest.raises(Refused) as refused:
        choose_labels(customer, codes=["vaak", "soms"], now=now)
    assert refused.value.code == "one_of_group"
    choose_labels(customer, codes=["vaak"], now=now)
    choose_labels(customer, codes=["soms"], now=now + DAY)
    assert chosen(customer) == {"soms"}


# --- what is refused, since it would go wrong later ---


def test_who_has_a_label_of_an_exclusive_group_is_no_use_of_it(stages: dict[str, Label], now: dt.datetime) -> None:
    CustomerFactory.create_batch(3)
    give_label(stages["Prospect"], EVERYBODY, by="Petra", now=now)
    group = LabelGroup.objects.get()
    assert {type(use.thing) for use in uses_of(group)} == {Label}


def test_a_label_lasts_no_longer_than_the_calendar(red: Label, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        change_label(red, max_age_days=2_147_483_647)
    assert (refused.value.code, refused.value.field) == ("max_age", "max_age_days")
    lasting = create_label(name="Lang", kind="own", max_age_days=36_500, now=now)
    CustomerFactory()
    give_label(lasting, EVERYBODY, by="Petra", now=now)
    assert end_labels(now=now) == 0


def test_a_label_is_not_merged_into_one_that_is_over(red: Label, now: dt.datetime) -> None:
    CustomerFactory()
    give_label(red, EVERYBODY, by="Petra", now=now)
    over = create_label(name="Voorbij", kind="own", valid_until=now.date() - DAY, now=now)
    with pytest.raises(Refused) as refused:
        merge_labels(red, over, name="Petra", now=now)
    assert refused.value.code == "not_valid"
    assert red.assignments.open().count() == 1


def test_nobody_whose_data_are_restricted_gets_a_label(red: Label, stages: dict[str, Label], now: dt.datetime) -> None:
    kept, other = CustomerFactory(), CustomerFactory()
    give_label(stages["Prospect"], EVERYBODY, by="Petra", now=now)
    Customer.objects.filter(pk=kept.pk).update(restricted_at=now)
    assert give_label(red, EVERYBODY, by="Petra", now=now + DAY) == 1
    assert give_label(stages["Ambassadeur"], EVERYBODY, by="Petra", now=now + DAY) == 1
    assert set(red.assignments.values_list("customer", flat=True)) == {other.pk}
    assert stages["Prospect"].assignments.open().get().customer == kept


def test_labels_come_not_to_ask_for_each_other_by_moving(red: Label, now: dt.datetime) -> None:
    def asks(criterion: str, **params: object) -> dict[str, object]:
        return {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}

    group = create_group(name="Fase", is_exclusive=True)
    inside = create_label(name="Binnen", kind="own", group=group, now=now)
    set_rule(inside, rule=asks("customer.kind", kinds=["member"]), now=now)
    set_rule(red, rule=asks("labels.of_group", label_group="fase"), now=now)
    with pytest.raises(Refused) as refused:
        change_label(red, group=group)
    assert refused.value.code == "label_cycle"
    loose = create_group(name="Los")
    first, second = (create_label(name=name, kind="own", group=loose, now=now) for name in ("Een", "Twee"))
    set_rule(first, rule=asks("customer.kind", kinds=["member"]), now=now)
    set_rule(second, rule=asks("labels.has", labels=[first.code]), now=now)
    with pytest.raises(Refused) as refused:
        change_group(loose, is_exclusive=True)
    assert refused.value.code == "label_cycle"


def test_a_label_follows_no_selection_that_is_archived(red: Label, now: dt.datetime) -> None:
    selection = create_selection(name="Oud", rule={"version": 2, "op": "all", "children": []}, now=now)
    archive_selection(selection, now=now)
    with pytest.raises(Refused) as refused:
        set_rule(red, selection=selection, now=now)
    assert refused.value.code == "archived"


def test_codes_of_the_system_are_not_for_us(red: Label, now: dt.datetime) -> None:
    for code in ("value-high", "world-1-romans", "ticket-genre-jazz", "with-museum"):
        with pytest.raises(Refused) as refused:
            create_label(name="Van ons", code=code, kind="own", now=now)
        assert (refused.value.code, refused.value.field) == ("reserved", "code")
    with pytest.raises(Refused) as refused:
        create_group(name="Van ons", code="lifecycle")
    assert refused.value.code == "reserved"
    named = create_group(name="Lifecycle"), create_label(name="With museum", kind="own", now=now)
    assert [one.code for one in named] == ["own-lifecycle", "own-with-museum"]
    ensure_system_labels(now=now)
    assert Label.objects.get(pk=named[1].pk).kind == Label.Kind.OWN
