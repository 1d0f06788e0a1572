from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.criteria import criteria
from common.errors import Refused
from common.time import clock
from customers.actions.merging import merge_customers
from customers.models import Customer
from labels.actions import create_label, give_label
from selections import keeping, tasks
from selections.actions import (
    change_selection,
    checked,
    create_selection,
    delete_result_set,
    delete_selection,
    fill_result_set,
    keep_rule,
    keep_selection,
    rename_result_set,
)
from selections.compiler import compile_rule
from selections.explain import describe
from selections.keeping import keep_at_once_or_later
from selections.models import ResultMember, ResultSet
from selections.rules import parse_rule
from selections.verdicts import why
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule
from tests.workbench.test_builder_page import Slow

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def kept_in(kept: ResultSet) -> set[int]:
    return set(ResultMember.objects.filter(result_set=kept).values_list("customer_id", flat=True))


def in_set(kept: ResultSet) -> dict[str, object]:
    return rule({"criterion": "selections.in_set", "params": {"result_set": kept.pk}})


def test_who_are_in_now_are_kept_with_rule_sentence_and_maker(marketeer: User, now: dt.datetime) -> None:
    inside = {customer.pk for customer in CustomerFactory.create_batch(3)}
    CustomerFactory(kind="prospect")
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    kept = keep_selection(selection, name=" Leden van toen ", by=marketeer, now=now)
    assert kept_in(kept) == inside
    assert (kept.name, kept.member_count, kept.made_by, kept.as_of) == ("Leden van toen", 3, marketeer, now)
    assert (kept.rule, kept.sentence) == (selection.rule, describe(selection.rule))


def test_a_result_set_does_not_follow_the_selection(now: dt.datetime) -> None:
    CustomerFactory()
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    kept = keep_selection(selection, name="Toen", now=now)
    CustomerFactory()
    change_selection(selection, rule=rule(), now=now)
    kept.refresh_from_db()
    assert (len(kept_in(kept)), kept.rule) == (1, rule(MEMBERS))
    delete_selection(selection)
    kept.refresh_from_db()
    assert (kept.selection, len(kept_in(kept))) == (None, 1)


def test_keeping_is_a_fixed_number_of_statements_however_many_there_are(now: dt.datetime) -> None:
    CustomerFactory()
    with CaptureQueriesContext(connection) as few:
        keep_rule(rule(MEMBERS), name="Eén", now=now)
    CustomerFactory.create_batch(30)
    with CaptureQueriesContext(connection) as many:
        assert keep_rule(rule(MEMBERS), name="Veel", now=now).member_count == 31
    assert len(many) == len(few)


def test_who_were_in_on_a_past_day_are_kept(now: dt.datetime) -> None:
    was, came = CustomerFactory.create_batch(2, created_at=now - 99 * DAY)
    label = create_label(code="rood", name="Rood", kind="own", now=now - 99 * DAY)
    give_label(label, Customer.objects.filter(pk=was.pk), by="x", now=now - 20 * DAY)
    give_label(label, Customer.objects.filter(pk=came.pk), by="x", now=now - 5 * DAY)
    red = rule({"criterion": "labels.has", "params": {"labels": ["rood"]}})
    kept = keep_rule(red, name="Toen", as_of=now - 10 * DAY, now=now)
    assert (kept_in(kept), kept.as_of, kept.made_at) == ({was.pk}, now - 10 * DAY, now)
    with pytest.raises(Refused) as refused:
        keep_rule(rule(MEMBERS), name="Niet te weten", as_of=now - 10 * DAY, now=now)
    assert refused.value.code == "not_known_then"
    assert not ResultSet.objects.filter(name="Niet te weten").exists()


@pytest.mark.parametrize(("name", "code"), [("Toen", "name_taken"), ("  ", "name_missing")])
def test_a_name_is_needed_and_stands_for_one(now: dt.datetime, name: str, code: str) -> None:
    keep_rule(rule(), name="Toen", now=now)
    other = keep_rule(rule(), name="Anders", now=now)
    with pytest.raises(Refused) as refused:
        keep_rule(rule(), name=name, now=now)
    assert (refused.value.code, refused.value.field) == (code, "name")
    with pytest.raises(Refused) as again:
        rename_result_set(other, name=name)
    assert again.value.code == code


def test_a_result_set_is_a_criterion_with_the_same_answer_at_every_moment(now: dt.datetime) -> None:
    inside, outside = CustomerFactory(), CustomerFactory(kind="prospect")
    kept = keep_rule(rule(MEMBERS), name="Toen", now=now)
    for moment in (now, now - 400 * DAY):
        assert set(compile_rule(in_set(kept), now=moment)) == {inside}
        assert set(compile_rule(rule(*in_set(kept)["children"], op="none"), now=moment)) == {outside}  # type: ignore[misc]
    assert "Toen" in describe(in_set(kept))
    tree = parse_rule(in_set(kept))
    assert [why(tree, one, now=now, present=now).holds for one in (inside, outside)] == [True, False]
    assert why(tree, inside, now=now, present=now).children[0].seen == "zat erin op 15 juni 2026"


def test_a_result_set_in_use_is_not_deleted_and_otherwise_goes_with_its_rows(now: dt.datetime) -> None:
    CustomerFactory()
    kept = keep_rule(rule(MEMBERS), name="Toen", now=now)
    user = create_selection(name="Van toen", rule=in_set(kept), now=now)
    with pytest.raises(Refused, match="Van toen"):
        delete_result_set(kept)
    delete_selection(user)
    delete_result_set(kept)
    assert not ResultMember.objects.exists()
    with pytest.raises(Refused) as refused:
        create_selection(
            name="Weer", rule=rule({"criterion": "selections.in_set", "params": {"result_set": 1}}), now=now
        )
    assert (refused.value.code, refused.value.field) == ("unknown_result_set", "/children/0/params/result_set")


def test_who_is_merged_stays_in_what_was_kept_once(marketeer: User, now: dt.datetime) -> None:
    one, two, three = CustomerFactory.create_batch(3)
    both = keep_rule(rule(MEMBERS), name="Allemaal", now=now)
    Customer.objects.filter(pk__in=[one.pk, three.pk]).update(kind="prospect")
    only = keep_rule(rule(MEMBERS), name="Eén", now=now)
    merge_customers(one, two, by=marketeer, now=now)
    found = {name: set(compile_rule(in_set(kept), now=now)) for name, kept in (("both", both), ("only", only))}
    assert found == {"both": {one, three}, "only": {one}}


def test_what_is_many_is_only_noted_and_filled_by_a_worker(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = CustomerFactory.create_batch(3)
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    assert not keep_at_once_or_later(selection, name="Weinig", now=now).is_waiting
    monkeypatch.setattr(keeping, "AT_ONCE", 0)
    kept = keep_at_once_or_later(selection, name="Veel", now=now)
    assert (kept.is_waiting, kept.member_count, kept_in(kept)) == (True, 0, set())
    for ask in (compile_rule, checked):
        with pytest.raises(Refused) as refused:
            ask(in_set(kept), now=now)
        assert refused.value.code == "result_set_waits"
    for _time in range(2):
        tasks.fill_result_set(kept.pk)
    kept.refresh_from_db()
    assert (kept.is_waiting, kept.member_count, kept_in(kept)) == (False, 3, {customer.pk for customer in inside})
    assert compile_rule(in_set(kept), now=now).count() == 3


def test_a_set_that_waits_is_filled_as_it_was_asked_for(now: dt.datetime) -> None:
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    CustomerFactory(registered_on=dt.date(2020, 1, 1))
    CustomerFactory(registered_on=now.date())
    Customer.objects.update(created_at=now)
    past = keep_selection(selection, name="Toen", as_of=now - 30 * DAY, assume_present=True, later=True, now=now)
    with pytest.raises(Refused) as refused:
        keep_selection(selection, name="Straks", as_of=now + DAY, later=True, now=now)
    assert refused.value.code == "not_yet"
    assert fill_result_set(past).member_count == 1


def test_a_set_of_which_the_task_was_lost_is_filled_all_the_same(now: dt.datetime) -> None:
    CustomerFactory()
    selection = create_selection(name="Leden", rule=rule(MEMBERS), now=now)
    hours_ago = clock() - dt.timedelta(hours=2)
    lost = keep_selection(selection, name="Verloren", later=True, now=hours_ago)
    fresh = keep_selection(selection, name="Vers", later=True, now=clock())
    tasks.fill_waiting_sets()
    assert set(ResultSet.objects.filter(is_waiting=True)) == {fresh}
    assert kept_in(lost) != set()


def test_what_is_heavier_than_it_looked_is_left_to_a_worker(now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    CustomerFactory()
    monkeypatch.setitem(criteria._items, "tests.slow", Slow())
    monkeypatch.setattr(keeping, "SECONDS", 0.1)
    kept = keep_at_once_or_later(rule({"criterion": "tests.slow", "params": {}}), name="Zwaar", now=now)
    assert (kept.is_waiting, ResultSet.objects.count()) == (True, 1)
