from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime

from common.time import clock, local_date
from customers.models import Customer
from labels.actions import change_label, create_group, create_label, follow_rules, give_label, set_rule
from labels.models import Assignment, Backfill, Label, LabelCount, LabelGroup, RefreshRun, RuleRun, VersionEnd
from labels.tasks import key_by_hand
from selections.actions import create_selection
from selections.models import Export, Selection
from tests.factories import CustomerFactory
from tests.workbench.conftest import Nudged

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MEMBERS = {"version": 2, "op": "all", "children": [{"criterion": "customer.kind", "params": {"kinds": ["member"]}}]}


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def label() -> Label:
    return create_label(name="Lid", kind="own", now=clock())


@pytest.fixture
def selection() -> Selection:
    return create_selection(name="Leden", rule=MEMBERS, now=clock())


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:label_{name}", args=args)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def token(page: Any) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page.content.decode())
    assert found
    return found[1]


# --- a rule ---


def test_a_label_by_rule_is_made_in_three_steps(client: Client, selection: Selection, nudged: Nudged) -> None:
    member = CustomerFactory(kind="member", first_name="Bea", last_name="Bos")
    CustomerFactory(kind="prospect")
    sent = {"name": "Trouw lid", "kind": "rule", "colour": "teal"}
    label_page = client.post(url("create"), sent)["Location"]
    label = Label.objects.get(name="Trouw lid")
    assert label_page == url("rule", label.pk)
    shown = client.post(label_page, {"selection": selection.pk})["Location"]
    page = client.get(shown)
    assert "Krijgen het label 1" in text(page)
    assert f'href="/customers/{member.pk}/"' in page.content.decode()
    assert "voor het eerst gevolgd in de nacht van" in text(page)
    assert client.post(shown, {"token": token(page)})["Location"] == url("detail", label.pk)
    label.refresh_from_db()
    assert label.selection == selection
    with nudged():
        client.post(url("follow", label.pk))
    assert [held.customer for held in label.assignments.open()] == [member]
    detail = text(client.get(url("detail", label.pk)))
    assert "Klanten die lid zijn." in detail
    assert "1 gegeven, 0 weggehaald" in detail
    assert "Aan klanten geven" not in detail


def test_what_was_done_this_minute_is_said_to_be_done_and_not_done_again(
    client: Client, label: Label, selection: Selection, nudged: Nudged
) -> None:
    member = CustomerFactory(kind="member")
    set_rule(label, selection=selection, now=clock())
    keys = [key_by_hand(clock() + number * dt.timedelta(minutes=1)) for number in range(3)]
    for key in keys:
        RuleRun.objects.create(label=label, due_key=key, at=clock())
        RefreshRun.objects.create(due_key=key, started_at=clock(), is_stale=True)
    with nudged():
        follow = client.post(url("follow", label.pk), follow=True)
        refresh = client.post(url("refresh"), follow=True)
    for answer in (follow, refresh):
        assert "Dit is zojuist al gedaan" in text(answer)
    assert RefreshRun.objects.count() == len(keys)
    RuleRun.objects.all().delete()
    with nudged():
        again = client.post(url("follow", label.pk), follow=True)
    assert "Dit is zojuist al gedaan" not in text(again)
    assert [held.customer for held in label.assignments.open()] == [member]


def test_only_the_rule_that_was_shown_can_be_saved(client: Client, label: Label, selection: Selection) -> None:
    address = f"{url('preview', label.pk)}?selection={selection.pk}"
    seen = token(client.get(address))
    other = create_selection(name="Anderen", rule={"version": 2, "op": "all", "children": []}, now=clock())
    for where, sent in ((f"{url('preview', label.pk)}?selection={other.pk}", seen), (address, ""), (address, "x:y")):
        answer = client.post(where, {"token": sent}, follow=True)
        assert "niet de regel die je zag" in text(answer)
    Selection.objects.filter(pk=selection.pk).update(rule=other.rule)
    client.post(address, {"token": seen})
    label.refresh_from_db()
    assert not label.is_by_rule


def test_a_rule_of_its_own_is_built_and_previewed(client: Client, label: Label) -> None:
    CustomerFactory(kind="prospect")
    fields = {"name": "Lid", "r__op": "all", "r-0__criterion": "customer.kind", "r-0-kinds": "prospect"}
    where = client.post(url("rule_build", label.pk), fields)["Location"]
    assert where == url("preview", label.pk)
    page = client.get(where)
    assert "Klanten die prospect zijn." in text(page)
    client.post(where, {"token": token(page)})
    label.refresh_from_db()
    assert label.rule is not None
    assert label.selection is None
    assert "Klanten die prospect zijn." in text(client.get(where))
    client.post(url("rule_drop", label.pk))
    label.refresh_from_db()
    assert not label.is_by_rule


def test_a_rule_that_asks_for_itself_is_told(client: Client, label: Label) -> None:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "labels.has", "params": {"labels": ["lid"]}}]}
    own = create_selection(name="Zichzelf", rule=rule, now=clock())
    answer = client.get(f"{url('preview', label.pk)}?selection={own.pk}", follow=True)
    assert "vragen naar elkaar" in text(answer)


def test_looking_changes_nothing(client: Client, label: Label, selection: Selection) -> None:
    CustomerFactory(kind="member")
    for page in ("follow", "rule_drop", "delete", "take_all", "export"):
        assert client.get(url(page, label.pk)).status_code == 405
    client.get(f"{url('preview', label.pk)}?selection={selection.pk}")
    label.refresh_from_db()
    assert not label.is_by_rule
    assert Assignment.objects.count() == 0


# --- history ---


def test_a_history_is_asked_for_shown_and_taken_back(client: Client, label: Label, nudged: Nudged) -> None:
    everybody = {"version": 2, "op": "all", "children": []}
    CustomerFactory()
    set_rule(label, rule=everybody, now=clock())
    follow_rules(now=clock(), due_key="1")
    day = local_date(clock()) - 60 * DAY
    with nudged():
        answer = client.post(url("history", label.pk), {"first_day": day.isoformat(), "grid": "week"})
    assert answer.status_code == 302
    page = text(client.get(url("history", label.pk)))
    assert "1 periode aangevuld" in page
    backfill = Backfill.objects.get()
    assert label.assignments.get().since.date() < clock().date() - 50 * DAY
    client.post(url("history_undo", label.pk, backfill.pk))
    assert label.assignments.get().since.date() == clock().date()
    assert "teruggedraaid op" in text(client.get(url("history", label.pk)))


def test_what_is_not_known_of_the_past_is_told_instead_of_asked(client: Client, label: Label) -> None:
    set_rule(label, rule=MEMBERS, now=clock())
    page = text(client.get(url("history", label.pk)))
    assert "Dit is van het verleden niet bekend" in page
    assert "“lid zijn”" in page


# --- the list ---


def test_labels_are_searched_filtered_and_ordered(client: Client) -> None:
    group = create_group(name="Fase")
    one = create_label(name="Aap", kind="own", description="Lief dier", group=group, now=clock())
    two = create_label(name="Beer", kind="own", now=clock())
    people = CustomerFactory.create_batch(2)
    give_label(two, Customer.objects.all(), by="Petra", now=clock())
    give_label(one, Customer.objects.filter(pk=people[0].pk), by="Petra", now=clock())
    LabelCount.objects.create(label=one, day=local_date(clock()) - 30 * DAY, holders=5)
    found = text(client.get(url("list"), {"q": "DIER"}))
    assert "Aap" in found
    assert "Beer" not in found
    assert "-4" in found
    assert "Beer" not in text(client.get(url("list"), {"group": "fase"}))
    ordered = text(client.get(url("list"), {"sort": "holders", "kind": "own"}))
    assert ordered.index("Beer") < ordered.index("Aap")
    assert "Geen labels gevonden" in text(client.get(url("list"), {"q": "olifant"}))
    part = client.get(url("list"), {"q": "dier"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


# --- who has it ---


def test_holders_are_found_by_name(client: Client, label: Label) -> None:
    CustomerFactory(first_name="Bea", last_name="Bos")
    CustomerFactory(first_name="Cor", last_name="Dam")
    give_label(label, Customer.objects.all(), by="Petra", now=clock())
    page = client.get(url("detail", label.pk), {"q": "Bos"}, headers={"HX-Request": "true"})
    assert "Bea" in text(page)
    assert "Cor" not in text(page)
    assert "Niemand met die naam" in text(client.get(url("detail", label.pk), {"q": "Zandstra"}))


def test_a_label_is_given_to_a_selection_and_taken_by_number(
    client: Client, label: Label, selection: Selection
) -> None:
    for number in ("11", "12"):
        CustomerFactory(number=number, kind="member")
    client.post(url("give", label.pk), {"do": "give", "selection": selection.pk})
    held = label.assignments.open()
    assert set(held.values_list("given_how", "given_through", "reason")) == {
        ("selection", selection.pk, "selectie “Leden”")
    }
    client.post(url("give", label.pk), {"do": "take", "numbers": "11", "reason": "vergissing"})
    assert [one.customer.number for one in label.assignments.open()] == ["12"]
    taken = label.assignments.get(until__isnull=False)
    assert (taken.taken_how, taken.taken_by, taken.taken_reason) == ("hand", "marketeer", "vergissing")
    both = client.post(url("give", label.pk), {"do": "give", "numbers": "11", "selection": selection.pk})
    assert both.status_code == client.post(url("give", label.pk), {"do": "give"}).status_code == 422
    client.post(url("take_all", label.pk))
    assert not label.assignments.open().exists()


def test_who_has_it_is_exported_and_that_is_recorded(client: Client, label: Label) -> None:
    CustomerFactory(number="4711")
    CustomerFactory(number="4712")
    give_label(label, Customer.objects.filter(number="4711"), by="Petra", now=clock())
    answer = client.post(url("export", label.pk), {"columns": ["number"]})
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1:] == ["4711"]
    export = Export.objects.get()
    assert (export.selection_name, export.row_count) == ("label “Lid”", 1)


# --- merging and deleting ---


def test_a_label_is_merged_into_another(client: Client, label: Label) -> None:
    into = create_label(name="Vriend", kind="own", now=clock())
    CustomerFactory()
    give_label(label, Customer.objects.all(), by="Petra", now=clock())
    assert "1 klant met “Lid”" in text(client.get(url("merge", label.pk)))
    client.post(url("merge", label.pk), {"into": into.pk})
    label.refresh_from_db()
    assert not label.is_active
    assert label.assignments.get().until is not None
    assert into.assignments.get().reason == "samengevoegd: “Lid”"


def test_a_label_is_deleted_only_when_nobody_ever_had_it(client: Client, label: Label) -> None:
    CustomerFactory()
    given = create_label(name="Gegeven", kind="own", now=clock())
    give_label(given, Customer.objects.all(), by="Petra", now=clock())
    rule = {"version": 2, "op": "all", "children": [{"criterion": "labels.has", "params": {"labels": ["gebruikt"]}}]}
    used = create_label(name="Gebruikt", kind="own", now=clock())
    create_selection(name="Gebruikers", rule=rule, now=clock())
    for one, words in ((given, "geschiedenis blijft"), (used, "Gebruikers")):
        assert words in text(client.post(url("delete", one.pk), follow=True))
    client.post(url("delete", label.pk))
    assert set(Label.objects.values_list("name", flat=True)) == {"Gegeven", "Gebruikt"}
    page = client.get(url("detail", used.pk)).content.decode()
    assert f'href="{reverse("workbench:selection_detail", args=[Selection.objects.get().pk])}"' in page


# --- groups ---


def test_labels_of_a_group_are_put_in_order(client: Client) -> None:
    group = create_group(name="Fase", is_exclusive=True)
    labels = [create_label(name=name, kind="own", group=group, now=clock()) for name in ("Een", "Twee", "Drie")]
    assert [label.rank for label in labels] == [1, 2, 3]
    order = [labels[2].pk, labels[0].pk, labels[1].pk]
    assert client.post(url("group_order", group.pk), {"order": order}).status_code == 204
    assert list(group.labels.order_by("rank").values_list("name", flat=True)) == ["Drie", "Een", "Twee"]
    client.post(url("group_order", group.pk), {"order": order[:2]})
    assert list(group.labels.order_by("rank").values_list("name", flat=True)) == ["Drie", "Een", "Twee"]
    assert client.get(url("group_order", group.pk)).status_code == 405
    page = text(client.get(url("group_change", group.pk)))
    assert page.index("Drie") < page.index("Een") < page.index("Twee")


def test_an_empty_group_is_deleted(client: Client, label: Label) -> None:
    group = create_group(name="Leeg")
    full = create_group(name="Vol")
    change_label(label, group=full)
    for one in (group, full):
        client.post(url("group_delete", one.pk))
    assert [one.name for one in LabelGroup.objects.filter(name__in=["Leeg", "Vol"])] == ["Vol"]


# --- versions ---


def test_an_old_version_is_ended_for_all_and_taken_back(client: Client, marketeer: User) -> None:
    group = create_group(name="Mosaic", is_exclusive=True)
    made: dict[str, Label] = {}
    for version in ("2025", "2026"):
        label = create_label(code=f"mosaic-{version}-a", name="A", kind="imported", group=group, now=clock())
        Label.objects.filter(pk=label.pk).update(version=version)
        made[version] = label
    one, two = CustomerFactory.create_batch(2)
    give_label(made["2025"], Customer.objects.filter(pk=one.pk), by="import 1", now=clock() - DAY)
    give_label(made["2026"], Customer.objects.filter(pk=two.pk), by="import 2", now=clock() - DAY)
    page = text(client.get(url("versions")))
    assert page.index("Mosaic 2026") < page.index("Mosaic 2025")
    client.post(url("version_end", group.pk), {"version": "2025"})
    ended = made["2025"].assignments.get()
    assert (ended.how_taken, ended.taken_by) == ("version", "marketeer")
    assert not Label.objects.get(pk=made["2025"].pk).is_active
    assert made["2026"].assignments.open().count() == 1
    assert date_format(localtime(ended.until), "j b Y") in text(client.get(url("versions")))
    assert "al beëindigd" in text(client.post(url("version_end", group.pk), {"version": "2025"}, follow=True))
    client.post(url("version_back", VersionEnd.objects.get().pk))
    assert [held.customer for held in made["2025"].assignments.open()] == [one]
    assert Label.objects.get(pk=made["2025"].pk).is_active
    again = client.post(url("version_back", VersionEnd.objects.get().pk), follow=True)
    assert "al teruggedraaid" in text(again)


def test_labels_of_one_name_tell_of_which_version_they_are(client: Client) -> None:
    group = create_group(name="Mosaic")
    for version in ("2026", "2025"):
        label = create_label(code=f"mosaic-{version}-a", name="Starters", kind="imported", group=group, now=clock())
        Label.objects.filter(pk=label.pk).update(version=version, is_active=version == "2026")
    page = text(client.get(url("group_change", group.pk)))
    assert "Starters (2025) niet in gebruik · 0 klanten" in page
    assert "Starters (2026) 0 klanten" in page
    listed = text(client.get(url("list"), {"kind": "imported"}))
    assert "Starters (2026) –" in listed
    assert "Starters (2025) niet in gebruik –" in listed
    assert "Starters (2026) Importlabel" in text(client.get(url("detail", Label.objects.get(version="2026").pk)))


def test_of_a_version_that_is_taken_back_only_what_was_in_use_comes_back_in_use(client: Client) -> None:
    group = create_group(name="Mosaic", is_exclusive=True)
    used, unused = (
        create_label(code=f"mosaic-2025-{name}", name=name, kind="imported", group=group, now=clock()) for name in "ab"
    )
    Label.objects.filter(group=group).update(version="2025")
    Label.objects.filter(pk=unused.pk).update(is_active=False)
    client.post(url("version_end", group.pk), {"version": "2025"})
    assert not Label.objects.filter(is_active=True).exists()
    client.post(url("version_back", VersionEnd.objects.get().pk))
    assert list(Label.objects.filter(is_active=True)) == [used]


def test_what_took_the_place_of_an_ended_version_stays(client: Client) -> None:
    group = create_group(name="Mosaic", is_exclusive=True)
    old, new = (
        create_label(code=f"mosaic-{version}-a", name="A", kind="imported", group=group, now=clock())
        for version in ("2025", "2026")
    )
    Label.objects.filter(pk=old.pk).update(version="2025")
    CustomerFactory()
    give_label(old, Customer.objects.all(), by="import 1", now=clock() - DAY)
    client.post(url("version_end", group.pk), {"version": "2025"})
    give_label(new, Customer.objects.all(), by="import 2", now=clock())
    client.post(url("version_back", VersionEnd.objects.get().pk))
    assert [held.label for held in Assignment.objects.open()] == [new]


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_who_has_nothing_to_do_with_labels_is_turned_away(
    make_user: Callable[..., User], client_of: Callable[[User], Client], label: Label, role: str
) -> None:
    client = client_of(make_user(role))
    pages = [url(name, label.pk) for name in ("rule", "preview", "history", "merge", "rule_build")]
    assert {client.get(page).status_code for page in [*pages, url("versions")]} == {403}
    buttons = [url(name, label.pk) for name in ("delete", "take_all", "export", "follow", "rule_drop")]
    assert {client.post(page).status_code for page in buttons} == {403}
