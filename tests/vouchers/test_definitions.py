from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from common.errors import Refused
from tests.factories import BranchFactory, CustomerFactory, VoucherFactory
from vouchers.actions import activate, change_voucher, close, define_voucher, pause
from vouchers.models import Definition

pytestmark = pytest.mark.django_db

PERCENT: dict[str, Any] = {"name": "Jarig", "benefit": "percent", "percent": 25}


def test_a_definition_starts_as_a_draft_with_its_branches(now: dt.datetime, marketeer: User) -> None:
    branch = BranchFactory()
    made = define_voucher(**PERCENT, branches=[branch], by=marketeer, now=now)
    made.refresh_from_db()
    assert (made.state, made.kind, made.created_at) == ("draft", "discount", now)
    assert list(made.branches.all()) == [branch]


def test_something_for_free_is_an_action_voucher(now: dt.datetime, marketeer: User) -> None:
    made = define_voucher(name="Koffie", benefit="free_product", product="koffie", by=marketeer, now=now)
    assert made.kind == "action"


def test_what_the_benefit_does_not_use_is_emptied(now: dt.datetime, marketeer: User) -> None:
    made = define_voucher(**PERCENT, amount_cents=500, by=marketeer, now=now)
    assert (made.percent, made.amount_cents) == (25, None)
    made = change_voucher(made, benefit="fixed", amount_cents=500, by=marketeer)
    assert (made.percent, made.amount_cents) == (None, 500)
    made = change_voucher(made, benefit="free_product", product="thee", by=marketeer)
    assert made.kind == "action"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"benefit": "percent"}, "benefit_incomplete", "percent"),
        ({"benefit": "percent", "percent": 101}, "benefit_incomplete", "percent"),
        ({"benefit": "fixed"}, "benefit_incomplete", "amount_cents"),
        ({"benefit": "fixed", "amount_cents": 0}, "benefit_incomplete", "amount_cents"),
        ({"benefit": "set_price"}, "benefit_incomplete", "amount_cents"),
        ({"benefit": "free_product"}, "benefit_incomplete", "product"),
        (
            {"benefit": "percent", "percent": 5, "valid_from": dt.date(2026, 7, 2), "valid_until": dt.date(2026, 7, 1)},
            "validity_out_of_order",
            "valid_until",
        ),
        ({"benefit": "percent", "percent": 5, "uses_per_code": 0}, "uses_too_few", "uses_per_code"),
        ({"benefit": "percent", "percent": 5, "name": "Bestaat al"}, "name_taken", "name"),
    ],
)
def test_a_faulty_definition_is_refused_with_the_field(
    now: dt.datetime, marketeer: User, fields: dict[str, Any], code: str, field: str
) -> None:
    define_voucher(name="Bestaat al", benefit="percent", percent=10, by=marketeer, now=now)
    with pytest.raises(Refused) as refused:
        define_voucher(**{"name": "Nieuw", **fields}, by=marketeer, now=now)
    assert (refused.value.code, refused.value.field) == (code, field)
    assert Definition.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"percent": 20},
        {"benefit": "fixed", "amount_cents": 100},
        {"product": "thee"},
        {"uses_per_code": 2},
        {"holder": "anyone"},
    ],
)
def test_the_benefit_is_frozen_after_the_first_issue(
    definition: Definition, marketeer: User, change: dict[str, Any]
) -> None:
    VoucherFactory(definition=definition)
    with pytest.raises(Refused) as refused:
        change_voucher(definition, by=marketeer, **change)
    assert refused.value.code == "frozen"
    definition.refresh_from_db()
    assert definition.percent == 25


def test_before_the_first_issue_everything_may_change(definition: Definition, marketeer: User) -> None:
    assert change_voucher(definition, by=marketeer, percent=20, uses_per_code=3).percent == 20


def test_name_conditions_and_validity_may_change_after_issue(definition: Definition, marketeer: User) -> None:
    VoucherFactory(definition=definition)
    change_voucher(definition, by=marketeer, conditions="Niet op zondag", valid_until=dt.date(2027, 1, 1), name="Nieuw")
    definition.refresh_from_db()
    assert (definition.conditions, definition.name) == ("Niet op zondag", "Nieuw")


def test_the_database_itself_freezes_the_benefit(definition: Definition) -> None:
    Definition.objects.filter(pk=definition.pk).update(percent=30)
    VoucherFactory(definition=definition)
    with pytest.raises(IntegrityError, match="frozen"), transaction.atomic():
        Definition.objects.filter(pk=definition.pk).update(percent=40)


def test_states_follow_one_another(definition: Definition, marketeer: User) -> None:
    pause(definition, by=marketeer)
    assert Definition.objects.get().state == "paused"
    activate(definition)
    close(definition)
    for way_back in (activate, pause):
        with pytest.raises(Refused) as refused:
            way_back(definition)
        assert refused.value.code == "closed"


def test_a_draft_cannot_be_paused(now: dt.datetime, marketeer: User) -> None:
    with pytest.raises(Refused) as refused:
        pause(define_voucher(**PERCENT, by=marketeer, now=now))
    assert refused.value.code == "not_active"


def test_who_changed_what_is_kept(definition: Definition, marketeer: User) -> None:
    change_voucher(definition, by=marketeer, percent=30)
    pause(definition, by=marketeer)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event.percent, event.state, context.metadata->>'user' FROM vouchers_definitionevent AS event "
            "JOIN pghistory_context AS context ON context.id = event.pgh_context_id ORDER BY event.pgh_id"
        )
        assert cursor.fetchall() == [(30, "active", str(marketeer.pk)), (30, "paused", str(marketeer.pk))]


@pytest.mark.parametrize(
    ("fields", "first", "last"),
    [
        ({}, dt.date(2026, 6, 15), None),
        ({"valid_days": 30}, dt.date(2026, 6, 15), dt.date(2026, 7, 15)),
        ({"valid_days": 0}, dt.date(2026, 6, 15), dt.date(2026, 6, 15)),
        ({"valid_until": dt.date(2026, 12, 31)}, dt.date(2026, 6, 15), dt.date(2026, 12, 31)),
        ({"valid_days": 30, "valid_until": dt.date(2026, 6, 20)}, dt.date(2026, 6, 15), dt.date(2026, 6, 20)),
        ({"valid_from": dt.date(2026, 7, 1), "valid_days": 30}, dt.date(2026, 7, 1), dt.date(2026, 7, 15)),
    ],
)
def test_validity_of_an_issue(fields: dict[str, Any], first: dt.date, last: dt.date | None) -> None:
    assert Definition(**fields).validity_of_issue(dt.date(2026, 6, 15)) == (first, last)


def test_definitions_that_may_be_given_out(definition: Definition) -> None:
    CustomerFactory()
    assert list(Definition.objects.issuable()) == [definition]
    close(definition)
    assert not Definition.objects.issuable().exists()
