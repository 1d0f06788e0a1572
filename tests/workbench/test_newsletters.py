"""The pages of newsletters, editions and text items."""

# ruff: noqa: F401, F811 - fixtures are imported, and asked for by name

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from common.time import AMSTERDAM, clock, local_date
from customers.models import Customer, Purpose
from labels.actions import create_label
from labels.models import Label
from mailings.models import Mailing, Message
from newsletter.actions import change_newsletter, plan_edition, save_item, send_edition
from newsletter.models import Edition, Newsletter, TextItem
from tests.newsletter.conftest import edition, house, newsletter, reader

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


@pytest.fixture
def now() -> dt.datetime:
    """Pages read the clock."""
    return clock()


@pytest.fixture
def client(marketeer: Any, client_of: Make) -> Client:
    return client_of(marketeer)


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    assert response.status_code in (200, 422), response.status_code
    return str(response.content.decode())


def test_a_newsletter_is_made_and_listed(client: Client, house: Any) -> None:
    assert "Nog geen nieuwsbrieven" in text(client.get(url("newsletter_list")))
    given = {"name": "Uit in Waterland", "description": "Elke maand.", "priority": 2}
    response = client.post(url("newsletter_add"), given)
    newsletter = Newsletter.objects.get()
    assert response.headers["Location"] == url("newsletter_detail", newsletter.pk)
    assert newsletter.purpose.rule == Purpose.Rule.OPT_IN
    assert "Uit in Waterland" in text(client.get(url("newsletter_list")))


def test_a_newsletter_may_take_over_a_purpose(client: Client, house: Any) -> None:
    purpose = Purpose.objects.get(code="newsletter")
    client.post(url("newsletter_add"), {"name": "Nieuwsbrief", "purpose": purpose.pk, "priority": 2})
    assert Newsletter.objects.get().purpose == purpose
    assert f'value="{purpose.pk}">{purpose}' not in text(client.get(url("newsletter_add")))


def test_a_newsletter_is_changed_and_stopped(client: Client, newsletter: Newsletter) -> None:
    assert "Uit in Waterland" in text(client.get(url("newsletter_change", newsletter.pk)))
    client.post(url("newsletter_change", newsletter.pk), {"name": "Waterland uit", "description": "", "priority": 1})
    newsletter.refresh_from_db()
    assert (newsletter.name, newsletter.is_active, newsletter.priority) == ("Waterland uit", False, 1)
    page = text(client.get(url("newsletter_detail", newsletter.pk)))
    assert "Verschijnt niet meer" in page
    assert url("edition_add", newsletter.pk) not in page


def test_the_page_counts_subscribers_and_lists_editions(
    client: Client, edition: Edition, reader: Make, django_assert_max_num_queries: Any
) -> None:
    for _number in range(3):
        reader()
    with django_assert_max_num_queries(10):
        page = text(client.get(url("newsletter_detail", edition.newsletter_id)))
    assert '<p class="stat-value">3</p>' in page
    assert "Juni in Waterland" in page


def test_an_edition_is_made_with_a_cleaned_introduction(client: Client, newsletter: Newsletter) -> None:
    data = {"subject": "Juli", "preheader": "Zon", "introduction": "<p>Dag<script>x()</script></p>"}
    response = client.post(url("edition_add", newsletter.pk), data)
    edition = Edition.objects.get()
    assert response.headers["Location"] == url("edition_detail", edition.pk)
    assert (edition.introduction, edition.state) == ("<p>Dag</p>", "draft")
    page = text(client.get(url("edition_detail", edition.pk)))
    assert "Nog geen tekstblokken" in page
    assert url("edition_check", edition.pk) not in page


def test_a_faulty_merge_field_stands_at_its_field(client: Client, newsletter: Newsletter) -> None:
    response = client.post(url("edition_add", newsletter.pk), {"subject": "Dag {{ geheim }}"})
    assert response.status_code == 422
    assert 'id="id_subject_error"' in text(response)


@pytest.mark.parametrize("audience", ["everybody", "label"])
def test_an_item_is_added_for_everybody_or_for_some(
    client: Client, edition: Edition, now: dt.datetime, audience: str
) -> None:
    label = create_label(name="Theater", kind=Label.Kind.OWN, now=now)
    data = {"title": "Agenda", "body": "<p>Kom!</p>", "for_whom": audience, "label": label.pk}
    client.post(url("item_add", edition.pk), data)
    item = TextItem.objects.get(title="Agenda")
    assert item.label == (label if audience == "label" else None)
    page = text(client.get(url("edition_detail", edition.pk)))
    assert "Agenda" in page
    assert ("Theater" in page) == (audience == "label")


def test_fields_are_offered_while_writing_and_who_lacks_one_is_told_at_once(
    client: Client, edition: Edition, newsletter: Newsletter, reader: Make
) -> None:
    Customer.objects.filter(pk=reader().pk).update(city="")
    for page in (url("item_add", edition.pk), url("edition_change", edition.pk), url("edition_add", newsletter.pk)):
        assert 'data-insert="first_name"' in text(client.get(page))
    given = {"title": "Voor u", "body": "<p>Kom naar {{ city }}</p>", "for_whom": "everybody"}
    told = text(client.post(url("item_add", edition.pk), given, follow=True))
    assert "is leeg bij 1 klant" in told
    item = edition.items.get(title="Voor u")
    given["body"] = '<p>Kom naar {{ city | default: "ons" }}</p>'
    assert "is leeg bij" not in text(client.post(url("item_change", item.pk), given, follow=True))


def test_an_item_for_a_label_needs_that_label(client: Client, edition: Edition) -> None:
    data = {"title": "Agenda", "body": "<p>Kom!</p>", "for_whom": "label"}
    response = client.post(url("item_add", edition.pk), data)
    assert response.status_code == 422
    assert 'id="id_label_error"' in text(response)


def test_items_are_changed_ordered_and_taken_out(client: Client, edition: Edition, now: dt.datetime) -> None:
    first = edition.items.get()
    second = save_item(edition, title="Tweede", body="<p>Twee</p>", by=None, now=now)
    assert "De zomeragenda" in text(client.get(url("item_change", first.pk)))
    data = {"title": "Eerste", "body": "<p>Een</p>", "for_whom": "everybody"}
    client.post(url("item_change", first.pk), data)
    response = client.post(url("edition_order", edition.pk), {"order": [second.pk, first.pk, "x"]})
    assert response.status_code == 204
    assert list(edition.items.values_list("title", flat=True)) == ["Tweede", "Eerste"]
    client.post(url("item_remove", second.pk))
    assert list(edition.items.values_list("title", flat=True)) == ["Eerste"]


def test_checking_shows_who_gets_what_and_sends_nothing(client: Client, edition: Edition, reader: Make) -> None:
    reader(), reader(email="")
    page = text(client.get(url("edition_check", edition.pk)))
    assert "De zomeragenda" in page
    assert "Geen adres voor dit kanaal" in page
    assert "Deze editie nu verzenden aan 1 abonnee?" in page
    assert not Mailing.objects.exists()


def test_an_edition_is_planned_at_a_moment_in_amsterdam_and_held_again(
    client: Client, edition: Edition, now: dt.datetime
) -> None:
    day = local_date(now) + dt.timedelta(days=3)
    client.post(url("edition_check", edition.pk), {"send_at": f"{day}T09:00"})
    edition.refresh_from_db()
    moment = dt.datetime.combine(day, dt.time(9), tzinfo=AMSTERDAM)
    assert (edition.state, edition.send_at) == ("planned", moment)
    assert "gaat uit op" in text(client.get(url("edition_detail", edition.pk)))
    client.post(url("edition_unplan", edition.pk))
    edition.refresh_from_db()
    assert (edition.state, edition.send_at) == ("draft", None)


@pytest.mark.parametrize("send_at", ["2020-01-01T09:00", "", "morgen"])
def test_a_moment_that_cannot_be_is_refused(client: Client, edition: Edition, send_at: str) -> None:
    response = client.post(url("edition_check", edition.pk), {"send_at": send_at})
    assert response.status_code == 422
    assert 'id="id_send_at_error"' in text(response)


def test_an_edition_is_sent_once_and_then_shows_its_report(client: Client, edition: Edition, reader: Make) -> None:
    customer = reader()
    for _click in range(2):
        client.post(url("edition_send", edition.pk))
    assert list(Message.objects.values_list("customer", flat=True)) == [customer.pk]
    page = text(client.get(url("edition_detail", edition.pk)))
    assert url("mailing_detail", Mailing.objects.get().pk) in page
    assert url("edition_change", edition.pk) not in page
    assert client.get(url("edition_check", edition.pk)).headers["Location"] == url("edition_detail", edition.pk)
    client.post(url("edition_delete", edition.pk))
    assert Edition.objects.count() == 1


def test_an_edition_is_copied_and_deleted(client: Client, edition: Edition) -> None:
    response = client.post(url("edition_copy", edition.pk))
    copy = Edition.objects.exclude(pk=edition.pk).get()
    assert response.headers["Location"] == url("edition_detail", copy.pk)
    client.post(url("edition_delete", edition.pk))
    assert list(Edition.objects.all()) == [copy]


def test_the_preview_shows_the_items_as_content(client: Client, edition: Edition) -> None:
    response = client.post(url("edition_preview", edition.pk))
    edition.refresh_from_db()
    assert edition.content is not None
    assert response.headers["Location"] == url("content_preview", edition.content_id)
    assert edition.content.blocks[0]["data"]["title"] == "De zomeragenda"


def test_why_a_planned_edition_was_not_sent_is_shown(client: Client, edition: Edition, now: dt.datetime) -> None:
    plan_edition(edition, send_at=now + dt.timedelta(hours=1), by=None, now=now)
    Edition.objects.update(error="De nieuwsbrief verschijnt niet meer.")
    assert "De nieuwsbrief verschijnt niet meer." in text(client.get(url("edition_detail", edition.pk)))


# Access


def test_looking_changes_nothing_and_buttons_are_posts(client: Client, edition: Edition) -> None:
    for name in ("send", "unplan", "copy", "delete", "preview", "order"):
        assert client.get(url(f"edition_{name}", edition.pk)).status_code == 405
    assert client.get(url("item_remove", edition.items.get().pk)).status_code == 405


@pytest.mark.parametrize("role", ["counter", "integrator", None])
def test_others_are_turned_away(edition: Edition, make_user: Make, client_of: Make, role: str | None) -> None:
    visitor = client_of(make_user(role))
    for address in (
        url("newsletter_list"),
        url("newsletter_detail", edition.newsletter_id),
        url("edition_detail", edition.pk),
        url("edition_check", edition.pk),
    ):
        assert visitor.get(address).status_code == 403
    assert visitor.post(url("edition_send", edition.pk)).status_code == 403
    assert not Mailing.objects.exists()


# In a browser


@pytest.mark.django_db(transaction=True)
def test_items_change_places_by_keyboard_and_an_audience_unfolds(
    page: Any, sign_in: Make, axe: Callable[[], None], marketeer: Any, edition: Edition, now: dt.datetime
) -> None:
    save_item(edition, title="Tweede", body="<p>Twee</p>", by=None, now=now)
    sign_in(marketeer)
    page.goto(url("edition_detail", edition.pk))
    axe()
    with page.expect_response(lambda answer: answer.url.endswith("/order/")):
        page.locator("li[data-id]").nth(1).get_by_role("button", name="omhoog").press("Enter")
    assert list(edition.items.values_list("title", flat=True)) == ["Tweede", "De zomeragenda"]
    page.goto(url("item_add", edition.pk))
    chooser = page.locator('[data-show-if="for_whom=label"]')
    assert not chooser.is_visible()
    page.get_by_label("Abonnees met een label").check()
    assert chooser.is_visible()
    axe()
