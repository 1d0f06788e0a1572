"""The page of the builder: what it counts, what changed, undoing, a past day, heavy rules, and who they are."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.db.models import BooleanField, Func, Q, Value
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoCaptureOnCommitCallbacks

from common.criteria import Criterion, Params, criteria
from common.time import clock, local_date
from customers.models import Customer, World
from labels.actions import create_label, give_label
from labels.models import Assignment, Label, LabelGroup
from selections.actions import create_selection
from selections.background import answer_of
from selections.figures import Measure
from selections.models import Selection
from selections.rules import parse_rule
from selections.tasks import count_in_background
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, PurposeFactory
from tests.selections.test_rules import MEMBERS, rule
from workbench import builder_counts
from workbench.forms.builder.drafts import Counted, Draft, digest_of, new_token

pytestmark = pytest.mark.django_db

HTMX = {"headers": {"HX-Request": "true"}}
NEW = "/selections/new/"
MEMBERS_SENT = {"r__op": "all", "r-0__key": "k1", "r-0__criterion": "customer.kind", "r-0-kinds": "member"}
ADULTS_SENT = {"r-1__key": "k2", "r-1__criterion": "customer.age", "r-1-at_least": "18"}


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Iterator[Client]:
    yield client_of(marketeer)
    cache.clear()


@pytest.fixture
def page() -> dict[str, str]:
    """The token of one page, under which its earlier states are kept."""
    return {"page": new_token()}


def text(response: Any) -> str:
    body = re.sub(r"<template.*?</template>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def fields_of(response: Any) -> dict[str, str]:
    """The hidden fields and numbers of the rule that the page holds now."""
    body = response.content.decode()
    return dict(re.findall(r'name="(r[-\d]*__(?:criterion|op|key)|r[-\d]+[a-z_]+)"[^>]*? value="([^"]*)"', body))


# --- counting ---


def test_the_change_is_told_of_the_whole_and_of_each_part_that_was_there(client: Client, page: dict[str, str]) -> None:
    CustomerFactory.create_batch(3)
    CustomerFactory(birth_date=dt.date(2020, 1, 1))
    first = text(client.post(NEW, {**MEMBERS_SENT, **page, "live": "1"}, **HTMX))
    assert "ten opzichte van zojuist" not in first
    sent = {**MEMBERS_SENT, **ADULTS_SENT, **page, "live": "1"}
    second = client.post(NEW, sent, **HTMX)
    assert "−1 ten opzichte van zojuist" in text(second)
    said = '<p id="counted" hx-swap-oob="innerHTML">3 klanten. −1 ten opzichte van zojuist.</p>'
    assert said in second.content.decode()
    assert "−1 ten opzichte van zojuist" in text(client.post(NEW, sent, **HTMX)), "asked again"
    moved = {
        "r__op": "all", "r-0__key": "k2", "r-0__criterion": "customer.age", "r-0-at_least": "50",
        "r-1__key": "k1", "r-1__criterion": "customer.kind", "r-1-kinds": "member",
    }  # fmt: skip
    body = client.post(NEW, {**moved, **page, "live": "1"}, **HTMX).content.decode()
    notes = dict(re.findall(r'id="(note-r-\d)"[^>]*>(.*?)</div>', body, re.DOTALL))
    assert "−3 ten opzichte van zojuist" in notes["note-r-0"]


def test_the_same_question_is_not_counted_twice(client: Client, page: dict[str, str]) -> None:
    CustomerFactory()
    sent = {**MEMBERS_SENT, **page, "live": "1"}
    client.post(NEW, sent, **HTMX)
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(NEW, sent, **HTMX)
    assert "1 van 1 klanten" in text(answer)
    assert not [query for query in queries if "FILTER" in query["sql"]]


def test_a_change_is_shown_at_once_and_counted_afterwards(client: Client, page: dict[str, str]) -> None:
    CustomerFactory()
    client.post(NEW, {**MEMBERS_SENT, **page, "live": "1"}, **HTMX)
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(NEW, {**MEMBERS_SENT, **page, "do": "duplicate:r-0"}, **HTMX)
    assert not [query for query in queries if "FILTER" in query["sql"]]
    body = answer.content.decode()
    assert 'class="rule-earlier">1<' in body, "what it was stays until the new count comes"
    assert ", load" in body
    without_scripts = client.post(NEW, {**MEMBERS_SENT, "do": "duplicate:r-0"})
    assert "1 van 1 klanten" in text(without_scripts)


def test_a_pick_tells_before_and_after(client: Client) -> None:
    CustomerFactory.create_batch(4)
    sent = {**MEMBERS_SENT, "r__pick-0": "sample", "r__pick-0-size": "3", "r__pick-0-seed": "5", "live": "1"}
    answer = text(client.post(NEW, sent, **HTMX))
    assert "3 van 4" in answer
    added = client.post(NEW, {**MEMBERS_SENT, "do": "pick:r:household"})
    assert "Eén per huishouden: Wie van een huishouden" in text(added)


@pytest.mark.parametrize("parts", [1, 20, 95])
def test_the_page_asks_a_bounded_number_of_queries(client: Client, parts: int) -> None:
    branch = BranchFactory()
    CustomerFactory(branch=branch)
    create_label(code="rood", name="Rood", kind="own", now=clock())
    sent = {"r__op": "all", "name": ""}
    kinds = [
        ("customer.age", {"at_least": "18"}),
        ("customer.branch", {"branches": branch.code, "op": "any"}),
        ("labels.has", {"labels": "rood", "match": "any", "op": "any"}),
        ("facts.count", {"kind": "loan", "op": "at_least", "times": "3", "period": "ever", "per": "fact"}),
    ]
    for n in range(parts):
        code, filled = kinds[n % len(kinds)]
        sent |= {f"r-{n}__criterion": code, **{f"r-{n}-{name}": value for name, value in filled.items()}}
    counts = []
    for more, extra in (({"live": "1"}, HTMX), ({"do": "up:r-0"}, HTMX), ({"do": "up:r-0"}, {})):
        with CaptureQueriesContext(connection) as found:
            assert client.post(NEW, {**sent, **more}, **extra).status_code == 200
        counts.append(len(found))
    assert all(count <= limit for count, limit in zip(counts, (18, 15, 32), strict=True)), counts


# --- going back ---


def test_changes_are_undone_and_done_again(client: Client, page: dict[str, str]) -> None:
    state: dict[str, str] = {**MEMBERS_SENT, **page}
    client.post(NEW, {**state, "live": "1"}, **HTMX)
    wrapped = fields_of(client.post(NEW, {**state, "do": "wrap:r-0"}, **HTMX))
    assert wrapped["r-0-0__criterion"] == "customer.kind"
    state = {**page, **wrapped, "r__op": "all", "r-0__op": "any", "r-0-0-kinds": "member"}
    client.post(NEW, {**state, "live": "1"}, **HTMX)
    undone = client.post(NEW, {**state, "do": "undo:r"}, **HTMX)
    assert fields_of(undone)["r-0__criterion"] == "customer.kind"
    assert "Ongedaan gemaakt." in text(undone)
    state = {**MEMBERS_SENT, **page}
    assert "Er is niets om ongedaan te maken." in text(client.post(NEW, {**state, "do": "undo:r"}, **HTMX))
    again = client.post(NEW, {**state, "do": "redo:r"}, **HTMX)
    assert fields_of(again)["r-0-0__criterion"] == "customer.kind"
    client.post(NEW, {**state, "r-0-kinds": "prospect", "live": "1"}, **HTMX)
    gone = client.post(NEW, {**state, "r-0-kinds": "prospect", "do": "redo:r"}, **HTMX)
    assert "Er is niets om opnieuw te doen." in text(gone), "what was undone is gone after another change"


def test_undoing_works_without_scripts(client: Client, page: dict[str, str]) -> None:
    state = {**MEMBERS_SENT, **page}
    shown = client.post(NEW, {**state, "do": "remove:r-0"})
    assert "r-0__criterion" not in fields_of(shown)
    back = client.post(NEW, {"r__op": "all", **page, "do": "undo:r"})
    assert fields_of(back)["r-0__criterion"] == "customer.kind"
    assert re.search(r'name="r-0-kinds" value="member"[^>]* checked', back.content.decode())


def test_a_count_that_ends_late_does_not_undo_what_was_changed_meanwhile(page: dict[str, str]) -> None:
    counting = Draft.load(1, page["page"])
    counting.record(sent(MEMBERS_SENT))
    counting.save()
    changing = Draft.load(1, page["page"])
    changing.record(sent({**MEMBERS_SENT, **ADULTS_SENT}))
    changing.save()
    counting.count(Counted(clock(), "digest", 1, {}, Measure(everybody=1, total=1)))
    counting.save_counts()
    assert (Draft.load(1, page["page"]).states, Draft.load(1, page["page"]).now) == (changing.states, None)
    changing.count(Counted(clock(), "digest", 2, {}, Measure(everybody=2, total=2)))
    changing.save_counts()
    assert Draft.load(1, page["page"]).now == changing.now


def test_a_count_that_comes_after_a_later_request_changes_nothing(client: Client, page: dict[str, str]) -> None:
    both = {**MEMBERS_SENT, **ADULTS_SENT, **page}
    client.post(NEW, {**both, "live": "1", "turn": "1"}, **HTMX)
    one = {**MEMBERS_SENT, **page}
    client.post(NEW, {**one, "live": "1", "turn": "2"}, **HTMX)
    client.post(NEW, {**one, "do": "undo:r", "turn": "4"}, **HTMX)
    assert client.post(NEW, {**one, "live": "1", "turn": "3"}, **HTMX).status_code == 204
    assert client.post(NEW, {**one, "panel_open": "sample", "turn": "3"}, **HTMX).status_code == 204
    again = client.post(NEW, {**both, "do": "redo:r", "turn": "5"}, **HTMX)
    assert "r-1__criterion" not in fields_of(again)
    assert "Opnieuw gedaan." in text(again)


def sent(fields: dict[str, str]) -> QueryDict:
    return QueryDict(urlencode(fields))


def test_what_one_builds_is_not_in_the_draft_of_another(
    client: Client, page: dict[str, str], make_user: Callable[..., User], client_of: Callable[[User], Client]
) -> None:
    client.post(NEW, {**MEMBERS_SENT, **page, "live": "1"}, **HTMX)
    client.post(NEW, {**MEMBERS_SENT, **ADULTS_SENT, **page, "live": "1"}, **HTMX)
    other = client_of(make_user("marketeer", "ander"))
    assert "r-0__criterion" not in fields_of(other.post(NEW, {"r__op": "all", **page, "do": "undo:r"}))


# --- a past day ---


def test_a_past_day_is_answered_or_it_is_told_what_is_not_known(client: Client) -> None:
    customer = CustomerFactory(registered_on=dt.date(2020, 1, 1))
    CustomerFactory(registered_on=dt.date(2020, 1, 1), birth_date=dt.date(2000, 1, 1))
    label = create_label(code="rood", name="Rood", kind="own", now=clock())
    give_label(label, Customer.objects.filter(pk=customer.pk), by="test", now=clock() - dt.timedelta(days=3))
    sent = {"r__op": "all", "r-0__criterion": "labels.has", "r-0-labels": "rood", "live": "1"}
    days = {ago: local_date(clock() - dt.timedelta(days=ago)).isoformat() for ago in (2, 5)}
    assert "1 van 2 klanten zoals het was op" in text(client.post(NEW, {**sent, "as_of": days[2]}, **HTMX))
    assert "0 van 2 klanten" in text(client.post(NEW, {**sent, "as_of": days[5]}, **HTMX))
    guess = {**MEMBERS_SENT, "as_of": days[5], "live": "1"}
    unknown = text(client.post(NEW, guess, **HTMX))
    assert "Dit is van die dag niet meer bekend: Soort klant :" in unknown
    assert "van 2 klanten" not in unknown
    assert "2 van 2 klanten" in text(client.post(NEW, {**guess, "assume": "on"}, **HTMX))
    samples = {**sent, "as_of": days[5], "panel_open": "sample"}
    assert str(customer) not in text(client.post(NEW, samples, **HTMX))


def test_a_day_to_come_is_refused_and_today_is_shown(client: Client) -> None:
    CustomerFactory()
    tomorrow = local_date(clock() + dt.timedelta(days=1)).isoformat()
    answer = text(client.post(NEW, {**MEMBERS_SENT, "as_of": tomorrow, "live": "1"}, **HTMX))
    assert "niet in de toekomst" in answer
    assert "1 van 1 klanten" in answer
    assert "na 1 januari 1950" in text(client.post(NEW, {**MEMBERS_SENT, "as_of": "1066-10-14", "live": "1"}, **HTMX))


# --- what takes too long ---


class Slow(Criterion):
    """A question that takes ten seconds about each customer."""

    code = "tests.slow"
    group = "Tests"
    label = "Traag"
    params = Params

    def to_q(self, params: Params, *, now: dt.datetime) -> Q:
        asleep = Func(Value(10.0), template="(pg_sleep(%(expressions)s) IS NOT NULL)", output_field=BooleanField())
        return Q(asleep)

    def sentence(self, params: Params) -> str:
        return "traag zijn"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    from django import forms

    monkeypatch.setattr(Slow, "form", forms.Form, raising=False)
    monkeypatch.setattr(builder_counts, "LIVE_SECONDS", 0.1)
    monkeypatch.setitem(criteria._items, "tests.slow", Slow())
    return {"r__op": "all", "r-0__criterion": "tests.slow"}


def test_a_heavy_rule_is_told_by_its_part_estimated_and_counted_in_the_background(
    client: Client,
    slow: dict[str, str],
    page: dict[str, str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    CustomerFactory()
    answer = client.post(NEW, {**slow, **page, "live": "1"}, **HTMX)
    assert "langer dan" in text(answer)
    assert "vooral door “Traag”" in text(answer)
    assert "Dit kost de meeste tijd." in text(answer)
    assert re.search(r"Ongeveer [\d.]+ klanten", text(answer)), "how many is what the planner makes of its last look"
    assert "counted" not in answer.headers.get("HX-Trigger-After-Settle", "")
    with django_capture_on_commit_callbacks() as callbacks:
        client.post(NEW, {**slow, **page, "do": "background:r"}, **HTMX)
        client.post(NEW, {**slow, **page, "do": "background:r"}, **HTMX)
    assert len(callbacks) == 1, "who asks twice waits for the same count"
    with CaptureQueriesContext(connection) as queries:
        waiting = client.post(NEW, {**slow, **page, "live": "1"}, **HTMX)
    assert "Wordt op de achtergrond geteld" in text(waiting)
    assert not [query for query in queries if "FILTER" in query["sql"]]


def test_what_a_worker_counted_is_shown(client: Client, slow: dict[str, str], page: dict[str, str]) -> None:
    data = rule({"criterion": "tests.slow", "params": {}})
    ticket = digest_of(parse_rule(data).to_json(), "")
    count_in_background(data, ticket, clock().isoformat())  # nobody is there to ask about, so it is quick
    found = answer_of(ticket)
    assert found is not None
    assert found.measure is not None
    CustomerFactory()
    answer = text(client.post(NEW, {**slow, **page, "live": "1"}, **HTMX))
    assert "0 van 0 klanten" in answer
    assert "Geteld om" in answer


def test_a_heavy_rule_can_still_be_changed_and_saved(client: Client, slow: dict[str, str]) -> None:
    CustomerFactory()
    changed = client.post(NEW, {**slow, "do": "add:r:customer.kind"}, **HTMX)
    assert 'name="r-1__criterion" value="customer.kind"' in changed.content.decode()


# --- who they are ---


def test_the_panel_shows_some_of_them_or_how_they_are_spread_or_reached(client: Client) -> None:
    yes = CustomerFactory(branch=BranchFactory(name="Purmerend"), first_name="Bé", last_name="Vink")
    CustomerFactory(birth_date=dt.date(2020, 1, 1), email="", street="")
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    group = LabelGroup.objects.get_or_create(code="world-1", defaults={"name": "Wereld"})[0]
    label = Label.objects.create(code="world-1-reizen", kind="system", group=group, created_at=clock())
    Assignment.objects.create(label=label, customer=yes, since=clock(), given_by="system")
    purpose = PurposeFactory()
    ConsentFactory(customer=yes, purpose=purpose)
    some = text(client.post(NEW, {**MEMBERS_SENT, "panel_open": "sample"}, **HTMX))
    assert "Bé Vink Lid · Purmerend" in some
    spread = text(client.post(NEW, {**MEMBERS_SENT, "panel_open": "spread"}, **HTMX))
    for split in ("Purmerend 1", "Geen vestiging 1", "Reizen 1", "Lid 2"):
        assert split in spread
    reach = text(client.post(NEW, {**MEMBERS_SENT, "panel_open": "reach", "purpose": str(purpose.pk)}, **HTMX))
    assert "E-mail van 1 met een adres 1" in reach
    whole = text(client.post(NEW, {**MEMBERS_SENT, "panel_open": "spread"}))
    assert "Purmerend 1" in whole
    assert "2 van 2 klanten" in whole


@pytest.mark.parametrize(("panel", "limit"), [("sample", 12), ("spread", 14), ("reach", 15)])
def test_a_panel_asks_about_the_members_once(client: Client, panel: str, limit: int) -> None:
    PurposeFactory()
    CustomerFactory.create_batch(3, branch=BranchFactory())
    with CaptureQueriesContext(connection) as queries:
        client.post(NEW, {**MEMBERS_SENT, "panel_open": panel}, **HTMX)
    asked = [query for query in queries if "'member'" in query["sql"] and "customers_customer" in query["sql"]]
    assert len(asked) == 1
    assert len(queries) <= limit


# --- beginning ---


def test_an_example_takes_the_place_of_what_stood_there(client: Client, page: dict[str, str]) -> None:
    answer = client.post(NEW, {**MEMBERS_SENT, **page, "do": "start:r:leaving"})
    fields = fields_of(answer)
    assert fields["r-3__criterion"] == "facts.none"
    assert "bijna-vertrekkers" in text(answer).lower()


def test_the_menu_explains_and_puts_what_was_used_lately_on_top(client: Client, marketeer: User) -> None:
    create_selection(name="Leden", rule=rule(MEMBERS), by=marketeer, now=clock())
    client.post(NEW, {"r__op": "all", "do": "add:r:customer.age"}, **HTMX)
    body = client.post(NEW, {"r__op": "all", "do": "menu:r"}).content.decode()
    used = re.search(r"rule-menu-used.*?</div>", body, re.DOTALL)
    assert used is not None
    assert re.findall(r"add:r:([\w.]+)", used[0]) == ["customer.age", "customer.kind"]
    assert "Lid, alleen nieuwsbrief, prospect of oud-lid" in html.unescape(body)


def test_a_saved_rule_tells_of_its_members_why_they_are_in(client: Client, marketeer: User) -> None:
    customer = CustomerFactory()
    selection = create_selection(name="Leden", rule=rule(MEMBERS), by=marketeer, now=clock())
    address = f"/selections/{selection.pk}/change/"
    link = f"/selections/{selection.pk}/why/{customer.pk}/"
    assert link in client.post(address, {**MEMBERS_SENT, "panel_open": "sample"}, **HTMX).content.decode()
    changed = {**MEMBERS_SENT, **ADULTS_SENT, "panel_open": "sample"}
    assert link not in client.post(address, changed, **HTMX).content.decode()
    assert Selection.objects.count() == 1
