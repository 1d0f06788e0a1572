from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import PROTECT
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks

from common.time import clock, local_date
from customers.models import Customer
from labels.actions import create_label, give_label, take_label
from labels.models import Label
from selections import keeping
from selections.actions import change_selection, create_selection, keep_selection, save_folder, write_comment
from selections.models import Comment, Folder, ResultSet, Selection
from selections.tasks import fill_result_set
from tests.factories import CustomerFactory
from tests.selections.test_rules import MEMBERS, rule
from workbench.views.labels import PAGES

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
READERS = {"criterion": "labels.has", "params": {"labels": ["lezer"]}}


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def people() -> dict[str, Customer]:
    """Anna has been a reader for ten days; Bert was one until five days ago."""
    now = clock()
    made = {
        name: CustomerFactory(first_name=name, name_prefix="", last_name="Bos", created_at=now - 900 * DAY)
        for name in ("Anna", "Bert")
    }
    label = create_label(code="lezer", name="Lezer", kind="own", now=now - 900 * DAY)
    give_label(label, Customer.objects.filter(pk=made["Anna"].pk), by="x", now=now - 10 * DAY)
    give_label(label, Customer.objects.filter(pk=made["Bert"].pk), by="x", now=now - 20 * DAY)
    take_label(label, Customer.objects.filter(pk=made["Bert"].pk), by="x", now=now - 5 * DAY)
    return made


@pytest.fixture
def readers(people: dict[str, Customer], marketeer: User) -> Selection:
    return create_selection(name="Lezers", rule=rule(READERS), by=marketeer, now=clock())


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    body = response.content.decode().partition("<main")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def day(before: int) -> str:
    return (clock() - before * DAY).date().isoformat()


def names(people: Any) -> list[str]:
    return [one.first_name for one in people.object_list]


def messages_of(client: Client, answer: Any) -> str:
    return text(client.get(answer["Location"]))


# --- looking back ---


def test_who_were_in_on_a_day_are_listed_and_can_be_kept(client: Client, readers: Selection) -> None:
    page = client.get(url("selection_then", readers.pk), {"first": day(15)})
    assert names(page.context["people"]) == ["Bert"]
    answer = client.post(url("selection_keep", readers.pk), {"name": "Toen", "as_of": day(15)})
    kept = ResultSet.objects.get()
    assert answer["Location"] == url("result_set_detail", kept.pk)
    assert names(client.get(answer["Location"]).context["people"]) == ["Bert"]


def test_a_past_day_is_the_today_of_what_is_asked_as_of_it(client: Client, readers: Selection) -> None:
    """Not the day after, which begins where it ends."""
    asked = local_date(clock()) - 15 * DAY
    for name, born in {"Dag": asked, "Later": asked + DAY}.items():
        CustomerFactory(first_name=name, birth_date=born.replace(year=2000), created_at=clock() - 300 * DAY)
    today = rule({"criterion": "customer.birthday", "params": {"days_ahead": 0}})
    jarig = create_selection(name="Jarig", rule=today, now=clock())
    then = {"first": asked.isoformat()}
    assert names(client.get(url("selection_then", jarig.pk), then).context["people"]) == ["Dag"]
    kept = client.post(url("selection_keep", jarig.pk), {"name": "Toen", "as_of": asked.isoformat()})
    assert names(client.get(kept["Location"]).context["people"]) == ["Dag"]
    why = url("selection_why", jarig.pk, Customer.objects.get(first_name="Dag").pk)
    assert client.get(why, {"as_of": asked.isoformat()}).context["verdict"].holds


def test_two_days_tell_who_came_left_and_stayed(client: Client, readers: Selection) -> None:
    asked = {"first": day(15), "last": day(0)}
    page = client.get(url("selection_then", readers.pk), asked)
    found = page.context["turnover"]
    assert (found.before, found.came, found.left, found.stayed, found.after) == (1, 1, 1, 0, 1)
    assert names(page.context["people"]) == ["Anna"]
    left = client.get(url("selection_then", readers.pk), {**asked, "turn": "left"})
    assert names(left.context["people"]) == ["Bert"]


def test_what_is_not_known_of_a_day_is_said_and_only_assumed_when_asked(
    client: Client, people: dict[str, Customer]
) -> None:
    members = create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    page = client.get(url("selection_then", members.pk), {"first": day(15)})
    assert "people" not in page.context
    assert "Daarom gokken we niet." in text(page)
    assumed = client.get(url("selection_then", members.pk), {"first": day(15), "assume": "on"})
    assert names(assumed.context["people"]) == ["Anna", "Bert"]


def test_what_thins_a_group_out_is_named_where_it_is_not_known_any_more(
    client: Client, people: dict[str, Customer]
) -> None:
    picks = [
        {"pick": "sample", "size": 5, "seed": 1},
        {"pick": "household", "keep": "oldest"},
        {"pick": "top", "size": 5, "by": "customer.household_size"},
    ]
    thinned = create_selection(name="Gedund", rule={**rule(READERS), "picks": picks}, now=clock())
    page = client.get(url("selection_then", thinned.pk), {"first": day(15)})
    assert [one["label"] for one in page.context["unknown"]] == [
        "Eén per huishouden",
        "De hoogste of laagste volgens een waarde",
    ]
    assert "Eén per huishouden : Van een klant wordt alleen het huidige huishouden bewaard." in text(page)


@pytest.mark.parametrize(
    "asked", [{"first": "2099-01-01"}, {"first": "x"}, {"first": "", "last": "2026-01-01"}, {"first": "1900-01-01"}]
)
def test_days_that_cannot_be_looked_at_are_refused_with_words(
    client: Client, readers: Selection, asked: dict[str, str]
) -> None:
    page = client.get(url("selection_then", readers.pk), asked)
    assert page.status_code == 200
    assert page.context["form"].errors
    assert "people" not in page.context


def test_a_rule_that_goes_back_beyond_the_calendar_from_a_day_says_so(
    client: Client, people: dict[str, Customer]
) -> None:
    ages_ago = {"criterion": "mailings.hold_out", "params": {"period": "last", "number": 2000, "unit": "year"}}
    asked = create_selection(name="Ooit", rule=rule(ages_ago), now=clock())
    page = client.get(url("selection_then", asked.pk), {"first": "1951-01-01"})
    assert "verder terug of vooruit dan de kalender" in text(page)


# --- comparing ---


def test_two_selections_are_laid_over_each_other_and_each_part_opens_and_is_saved(
    client: Client, readers: Selection
) -> None:
    members = create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    asked = {"one": f"s{members.pk}", "two": f"s{readers.pk}"}
    page = client.get(url("selection_compare"), asked)
    assert [(part["code"], part["count"]) for part in page.context["parts"]] == [("11", 1), ("10", 1), ("01", 0)]
    assert "50% van A, 100% van B" in text(page)
    opened = client.get(url("selection_compare"), {**asked, "part": "10"})
    assert names(opened.context["people"]) == ["Bert"]
    builder = client.get(opened.context["chosen"]["save_url"])
    assert 'value="In “Leden”, niet in “Lezers”"' in builder.content.decode()
    assert "r-1-0__criterion" in builder.content.decode()


def test_a_selection_is_compared_with_what_was_kept_of_it(
    client: Client, readers: Selection, people: dict[str, Customer]
) -> None:
    kept = keep_selection(readers, name="Toen", as_of=clock() - 15 * DAY, now=clock())
    page = client.get(url("selection_compare"), {"one": f"s{readers.pk}", "two": f"r{kept.pk}"})
    assert [part["count"] for part in page.context["parts"]] == [0, 1, 1]


def test_three_sides_make_seven_parts(client: Client, readers: Selection) -> None:
    one = create_selection(name="Leden", rule=rule(MEMBERS), now=clock())
    two = create_selection(name="Allen", rule=rule(), now=clock())
    asked = {"one": f"s{one.pk}", "two": f"s{readers.pk}", "three": f"s{two.pk}"}
    parts = client.get(url("selection_compare"), asked).context["parts"]
    assert {part["code"]: part["count"] for part in parts if part["count"]} == {"111": 1, "101": 1}
    assert len(parts) == 7


def test_what_cannot_be_compared_is_refused_with_words(client: Client, readers: Selection) -> None:
    same = client.get(url("selection_compare"), {"one": f"s{readers.pk}", "two": f"s{readers.pk}"})
    assert "iets is altijd gelijk aan zichzelf" in text(same)
    for wrong in ("s0", "x", "s9999999999999"):
        assert client.get(url("selection_compare"), {"one": wrong, "two": f"s{readers.pk}"}).status_code == 200


# --- versions ---


def test_versions_say_what_changed_and_an_earlier_one_is_restored_as_the_newest(
    client: Client, readers: Selection, marketeer: User
) -> None:
    asked = readers.rule
    change_selection(readers, rule=rule(MEMBERS), by=marketeer, now=clock())
    page = client.get(url("selection_versions", readers.pk))
    assert "Versie 2 huidig" in text(page)
    assert "erbij: lid zijn weg: het label “Lezer” hebben" in text(page)
    first = page.context["versions"][-1]["version"]
    client.post(url("selection_restore", readers.pk, first.key))
    readers.refresh_from_db()
    assert readers.rule == asked
    assert "Versie 3 huidig" in text(client.get(url("selection_versions", readers.pk)))


def test_moving_and_handing_over_make_no_version(
    client: Client, readers: Selection, make_user: Callable[..., User]
) -> None:
    folder = save_folder(None, name="Jeugd", now=clock())
    other = make_user("marketeer", "saar", first_name="Saar")
    client.post(url("selection_move", readers.pk), {"folder": folder.pk})
    client.post(url("selection_owner", readers.pk), {"owner": other.pk})
    readers.refresh_from_db()
    assert (readers.folder, readers.owner) == (folder, other)
    assert len(client.get(url("selection_versions", readers.pk)).context["versions"]) == 1
    assert "Gewijzigd: map" in text(client.get(url("selection_detail", readers.pk)))


def test_a_selection_is_not_handed_to_who_cannot_work_with_it(
    client: Client, readers: Selection, make_user: Callable[..., User], marketeer: User
) -> None:
    for nobody in (make_user("counter"), make_user("marketeer", "weg", is_active=False)):
        client.post(url("selection_owner", readers.pk), {"owner": nobody.pk})
    readers.refresh_from_db()
    assert readers.owner == marketeer


# --- folders, archive, comments ---


def test_folders_are_made_renamed_filtered_and_deleted(client: Client, readers: Selection) -> None:
    create_selection(name="Zonder map", rule=rule(), now=clock())
    assert client.post(url("selection_folders"), {"name": "Jeugd"}).status_code == 302
    assert client.post(url("selection_folders"), {"name": "Jeugd"}).status_code == 422
    folder = Folder.objects.get()
    client.post(url("selection_move", readers.pk), {"folder": folder.pk})
    client.post(url("selection_folder", folder.pk), {"name": "Kinderen"})
    listed = text(client.get("/selections/", {"folder": folder.pk}))
    assert "Lezers" in listed
    assert "Zonder map" not in listed
    assert "Lezers" not in text(client.get("/selections/", {"folder": "none"})).partition("Naam")[2]
    client.post(url("selection_folder_delete", folder.pk))
    readers.refresh_from_db()
    assert (readers.folder, Folder.objects.count()) == (None, 0)


def test_an_archived_selection_leaves_the_lists_until_it_is_put_back(client: Client, readers: Selection) -> None:
    client.post(url("selection_archive", readers.pk))
    assert "Lezers" not in text(client.get("/selections/"))
    assert "Lezers" in text(client.get("/selections/", {"show": "archived"}))
    assert "Lezers" not in client.get(url("selection_compare")).content.decode()
    client.post(url("selection_unarchive", readers.pk))
    assert "Lezers" in text(client.get("/selections/"))


def test_what_is_used_is_neither_archived_nor_deleted_and_says_where_with_a_link(
    client: Client, readers: Selection
) -> None:
    inside = rule({"criterion": "selections.in", "params": {"selection": readers.pk}})
    user = create_selection(name="Buiten", rule=inside, now=clock())
    for name in ("selection_archive", "selection_delete"):
        answer = client.post(url(name, readers.pk), headers={"referer": "http://testserver/selections/"})
        assert "wordt nog gebruikt door: selectie “Buiten”" in client.get(answer["Location"]).content.decode()
    readers.refresh_from_db()
    assert readers.archived_at is None
    assert (
        f'href="{url("selection_detail", user.pk)}"' in client.get(url("selection_detail", readers.pk)).content.decode()
    )


def test_who_wrote_a_comment_may_delete_it_and_nobody_else(
    client: Client, readers: Selection, make_user: Callable[..., User]
) -> None:
    other = make_user("marketeer", "saar", first_name="Saar", last_name="Bakker")
    theirs = write_comment(readers, text="Let op de vestiging", by=other, now=clock())
    client.post(url("selection_comment", readers.pk), {"text": "Mijn <b>opmerking</b>"})
    page = client.get(url("selection_detail", readers.pk))
    assert "Let op de vestiging Saar Bakker" in text(page)
    assert "Mijn &lt;b&gt;opmerking&lt;/b&gt;" in page.content.decode()
    client.post(url("selection_comment_delete", theirs.pk))
    client.post(url("selection_comment_delete", Comment.objects.exclude(pk=theirs.pk).get().pk))
    assert list(Comment.objects.all()) == [theirs]
    client.post(url("selection_comment", readers.pk), {"text": "  "})
    assert Comment.objects.count() == 1


# --- result sets ---


def test_a_result_set_shows_what_was_kept_and_becomes_a_selection(
    client: Client, readers: Selection, people: dict[str, Customer]
) -> None:
    client.post(url("selection_keep", readers.pk), {"name": "Nu"})
    kept = ResultSet.objects.get()
    page = client.get(url("result_set_detail", kept.pk))
    assert names(page.context["people"]) == ["Anna"]
    assert "Klanten die het label “Lezer” hebben." in text(page)
    builder = client.get(page.context["selection_url"])
    assert 'value="selections.in_set"' in builder.content.decode()
    assert "Nu" in text(client.get(url("result_set_list"), {"selection": readers.pk}))
    client.post(url("result_set_rename", kept.pk), {"name": "Van nu"})
    Customer.objects.filter(pk=people["Anna"].pk).update(restricted_at=clock())
    later = client.get(url("result_set_detail", kept.pk))
    assert (later.context["count"], later.context["gone"]) == (0, 1)
    client.post(url("result_set_delete", kept.pk))
    assert not ResultSet.objects.exists()


def test_a_large_result_set_is_shown_when_a_worker_has_looked_them_up(
    client: Client,
    readers: Selection,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    monkeypatch.setattr(keeping, "AT_ONCE", 0)
    with django_capture_on_commit_callbacks() as callbacks:
        answer = client.post(url("selection_keep", readers.pk), {"name": "Veel"})
    kept = ResultSet.objects.get()
    assert (len(callbacks), answer["Location"]) == (1, url("result_set_detail", kept.pk))
    waiting = client.get(url("result_set_detail", kept.pk))
    assert "people" not in waiting.context
    assert kept.sentence in text(waiting)
    assert client.get(url("result_set_rename", kept.pk)).status_code == 404
    fill_result_set(kept.pk)
    assert names(client.get(url("result_set_detail", kept.pk)).context["people"]) == ["Anna"]


def test_pages_ask_no_query_per_row(client: Client, readers: Selection, marketeer: User) -> None:
    kept = keep_selection(readers, name="Nu", now=clock())

    def queries(address: str, **asked: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(address, asked).status_code == 200
        return len(found)

    pages = [
        (url("selection_detail", readers.pk), {}),
        (url("selection_then", readers.pk), {"first": day(0)}),
        (url("selection_versions", readers.pk), {}),
        (url("result_set_list"), {}),
        (url("selection_folders"), {}),
        (url("result_set_detail", kept.pk), {}),
    ]
    for address, asked in pages:
        queries(address, **asked)
    few = [queries(address, **asked) for address, asked in pages]
    more = CustomerFactory.create_batch(5, created_at=clock() - 900 * DAY)
    newcomers = Customer.objects.filter(pk__in=[one.pk for one in more])
    give_label(Label.objects.get(code="lezer"), newcomers, by="x", now=clock())
    for number in range(4):
        write_comment(readers, text=f"Nummer {number}", by=marketeer, now=clock())
        save_folder(None, name=f"Map {number}", now=clock())
        keep_selection(readers, name=f"Set {number}", now=clock())
        change_selection(readers, description=f"Versie {number}", by=marketeer, now=clock())
    many = [queries(address, **asked) for address, asked in pages]
    assert all(after <= before + 2 for before, after in zip(few, many, strict=True)), (few, many)
    assert max(many) <= 40


def test_whatever_keeps_a_selection_from_being_deleted_has_a_page_to_go_to() -> None:
    users = {
        relation.related_model._meta.label_lower
        for relation in Selection._meta.get_fields(include_hidden=True)
        if getattr(relation, "on_delete", None) is PROTECT and relation.auto_created
    }
    assert users
    assert users <= set(PAGES)
    assert all(apps.get_model(name) for name in PAGES)
