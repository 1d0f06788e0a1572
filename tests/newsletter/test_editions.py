"""Editions: everybody gets an issue of his own, once, and only who still wants it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from common.errors import Refused
from customers.models import Customer
from labels.actions import create_label, give_label
from labels.models import Label
from mailings.actions import change_sending_settings, check_links, send_notices
from mailings.delivery import Answer
from mailings.models import Decision, Mailing, Message
from newsletter.actions import (
    ask_links_ahead,
    change_edition,
    change_newsletter,
    copy_edition,
    create_edition,
    delete_edition,
    order_items,
    plan_edition,
    remove_item,
    save_item,
    send_due_editions,
    send_edition,
    unplan_edition,
    unsubscribe,
    write_content,
)
from newsletter.models import Edition, Newsletter, TextItem
from newsletter.variants import variants_of
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import CustomerFactory
from tests.smtp_sink import Sink

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]


@pytest.fixture
def grown_ups(house: Any, now: dt.datetime) -> Selection:
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.age", "params": {"at_least": 50}}]}
    return create_selection(name="Vijftigplus", rule=rule, now=now)


@pytest.fixture
def theatre(house: Any, now: dt.datetime) -> Label:
    return create_label(name="Theater", kind=Label.Kind.OWN, now=now)


def item(edition: Edition, title: str, now: dt.datetime, **fields: Any) -> TextItem:
    return save_item(edition, title=title, body=f"<p>{title}: lees verder.</p>", by=None, now=now, **fields)


# Composing


def test_items_become_blocks_with_their_audience_in_order(
    edition: Edition, grown_ups: Selection, theatre: Label, now: dt.datetime
) -> None:
    item(edition, "Voor vijftigers", now, selection=grown_ups)
    item(edition, "Naar het theater", now, label=theatre, link="https://www.example.nl/agenda", link_text="Agenda")
    change_edition(
        edition, subject="Dag {{ first_name }}", preheader="Lees", introduction="<p>Hallo</p>", by=None, now=now
    )
    edition.refresh_from_db()
    content = write_content(edition, by=None, now=now)
    assert (content.subject, content.preheader) == ("Dag {{ first_name }}", "Lees")
    assert [(block["type"], block["data"].get("title"), block["audience"]) for block in content.blocks] == [
        ("text", None, None),
        ("article", "De zomeragenda", None),
        ("article", "Voor vijftigers", {"kind": "selection", "id": grown_ups.pk}),
        ("article", "Naar het theater", {"kind": "label", "id": theatre.pk}),
    ]
    edition.refresh_from_db()
    assert write_content(edition, by=None, now=now) == content == edition.content


def test_text_is_cleaned_when_it_is_kept(edition: Edition, now: dt.datetime) -> None:
    made = save_item(edition, title="Let op", body="<p onclick=x()>Dag<script>x()</script></p>", by=None, now=now)
    assert made.body == "<p>Dag</p>"
    changed = change_edition(
        edition, subject="Juni", preheader="", introduction="<p>Hoi<script>x()</script></p>", by=None, now=now
    )
    assert "script" not in changed.introduction


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"body": "<p> </p>"}, "body"),
        ({"body": "<p>{{ geheim }}</p>"}, "body"),
        ({"title": ""}, "title"),
        ({"title": "{{ first_name"}, "title"),
        ({"link": "javascript:alert(1)"}, "link"),
    ],
)
def test_a_faulty_item_is_refused_with_its_field(
    edition: Edition, now: dt.datetime, fields: dict[str, str], field: str
) -> None:
    given = {"title": "Titel", "body": "<p>Tekst</p>", **fields}
    with pytest.raises(Refused) as refusal:
        save_item(edition, by=None, now=now, **given)  # type: ignore[arg-type]
    assert refusal.value.field == field
    assert edition.items.count() == 1


def test_an_item_has_one_audience(edition: Edition, grown_ups: Selection, theatre: Label, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refusal:
        item(edition, "Dubbel", now, selection=grown_ups, label=theatre)
    assert refusal.value.code == "two_audiences"


def test_items_are_put_in_order_changed_and_taken_out(edition: Edition, now: dt.datetime) -> None:
    first, second, third = edition.items.get(), item(edition, "Twee", now), item(edition, "Drie", now)
    order_items(edition, [third.pk, first.pk], by=None)
    assert [one.pk for one in edition.items.all()] == [third.pk, first.pk, second.pk]
    item(edition, "Twee anders", now, item=second)
    assert [one.title for one in edition.items.all()] == ["Drie", "De zomeragenda", "Twee anders"]
    remove_item(third, by=None)
    assert [one.pk for one in edition.items.all()] == [first.pk, second.pk]


def test_an_edition_without_items_is_neither_planned_nor_sent(newsletter: Newsletter, now: dt.datetime) -> None:
    empty = create_edition(newsletter, subject="Leeg", by=None, now=now)
    for attempt in (
        lambda: plan_edition(empty, send_at=now + dt.timedelta(days=1), by=None, now=now),
        lambda: send_edition(empty, by=None, now=now),
    ):
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code == "no_items"
    assert not Mailing.objects.exists()


def test_a_copy_is_a_draft_with_the_same_items(
    edition: Edition, grown_ups: Selection, reader: Make, now: dt.datetime
) -> None:
    item(edition, "Voor vijftigers", now, selection=grown_ups)
    reader()
    send_edition(edition, by=None, now=now)
    copy = copy_edition(edition, by=None, now=now)
    assert (copy.state, copy.mailing, copy.subject) == ("draft", None, edition.subject)
    assert [(one.title, one.selection) for one in copy.items.all()] == [
        ("De zomeragenda", None),
        ("Voor vijftigers", grown_ups),
    ]
    assert edition.items.count() == 2


# Sending


def test_each_reader_gets_the_items_meant_for_him(
    edition: Edition, grown_ups: Selection, theatre: Label, reader: Make, now: dt.datetime
) -> None:
    item(edition, "Voor vijftigers", now, selection=grown_ups)
    item(edition, "Naar het theater", now, label=theatre)
    young, old = reader(birth_date=dt.date(2000, 1, 1)), reader(birth_date=dt.date(1950, 1, 1))
    fan = reader(birth_date=dt.date(1950, 1, 1))
    give_label(theatre, Customer.objects.filter(pk=fan.pk), by="marketeer", now=now)
    mailing = send_edition(edition, by=None, now=now)
    audiences = dict(Message.objects.filter(mailing=mailing).values_list("customer", "audiences"))
    selection, label = f"selection:{grown_ups.pk}", f"label:{theatre.pk}"
    assert audiences == {young.pk: [], old.pk: [selection], fan.pk: [label, selection]}


def test_an_edition_is_for_subscribers_only_and_goes_through_the_gate(
    edition: Edition, reader: Make, now: dt.datetime
) -> None:
    subscribed, unreachable = reader(), reader(email="")
    CustomerFactory()
    mailing = send_edition(edition, by=None, now=now)
    outcomes = dict(Decision.objects.filter(mailing=mailing).values_list("customer", "outcome"))
    assert outcomes == {subscribed.pk: "accepted", unreachable.pk: "no_address"}
    assert (mailing.purpose, mailing.channels) == (edition.newsletter.purpose, "email")
    edition.refresh_from_db()
    assert (edition.state, edition.mailing, mailing.origin) == ("sent", mailing, f"edition:{edition.pk}")


def test_sending_twice_is_one_mailing(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    assert send_edition(edition, by=None, now=now) == send_edition(edition, by=None, now=now)
    assert Message.objects.count() == 1


def test_who_unsubscribes_between_planning_and_sending_gets_nothing(
    edition: Edition, reader: Make, now: dt.datetime
) -> None:
    stays, goes = reader(), reader()
    tomorrow = now + dt.timedelta(days=1)
    plan_edition(edition, send_at=tomorrow, by=None, now=now)
    unsubscribe(goes, edition.newsletter, source_code="mijnmenu", actor="customer", now=now + dt.timedelta(hours=3))
    assert send_due_editions(now=tomorrow) == [edition]
    assert list(Message.objects.values_list("customer", flat=True)) == [stays.pk]


def test_what_was_sent_stays_as_it_was(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    send_edition(edition, by=None, now=now)
    one = edition.items.get()
    attempts = [
        lambda: change_edition(edition, subject="Anders", preheader="", introduction="", by=None, now=now),
        lambda: item(edition, "Erbij", now),
        lambda: item(edition, "Anders", now, item=one),
        lambda: remove_item(one, by=None),
        lambda: order_items(edition, [one.pk], by=None),
        lambda: plan_edition(edition, send_at=now + dt.timedelta(days=1), by=None, now=now),
        lambda: unplan_edition(edition, by=None),
        lambda: delete_edition(edition, by=None),
    ]
    for attempt in attempts:
        with pytest.raises(Refused) as refusal:
            attempt()
        assert refusal.value.code == "edition_sent"


def test_a_newsletter_that_stopped_sends_nothing(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    newsletter = edition.newsletter
    change_newsletter(newsletter, name=newsletter.name, description="", is_active=False, by=None, now=now)
    with pytest.raises(Refused):
        send_edition(Edition.objects.get(pk=edition.pk), by=None, now=now)
    with pytest.raises(Refused):
        create_edition(newsletter, subject="Nog een", by=None, now=now)
    assert not Mailing.objects.exists()


# Planning


def test_a_planned_edition_goes_out_at_its_moment_and_once(edition: Edition, reader: Make, now: dt.datetime) -> None:
    customer, moment = reader(), now + dt.timedelta(hours=2)
    plan_edition(edition, send_at=moment, by=None, now=now)
    assert send_due_editions(now=moment - dt.timedelta(seconds=1)) == []
    assert send_due_editions(now=moment) == [edition]
    assert send_due_editions(now=moment + dt.timedelta(minutes=1)) == []
    assert list(Message.objects.values_list("customer", flat=True)) == [customer.pk]


def test_its_mailing_knows_who_planned_it(edition: Edition, reader: Make, marketeer: User, now: dt.datetime) -> None:
    reader()
    moment = now + dt.timedelta(hours=2)
    plan_edition(edition, send_at=moment, by=marketeer, now=now)
    send_due_editions(now=moment)
    mailing = Mailing.objects.get()
    assert (mailing.created_by, mailing.planned_by) == (None, marketeer)


def test_an_error_in_its_content_keeps_it_from_being_planned(edition: Edition, now: dt.datetime) -> None:
    change_sending_settings(postal_address="")
    with pytest.raises(Refused) as refusal:
        plan_edition(edition, send_at=now + dt.timedelta(hours=2), by=None, now=now)
    assert refusal.value.code == "check_errors"
    edition.refresh_from_db()
    assert edition.state == "draft"


def test_a_planned_edition_is_looked_at_again_at_its_moment_and_a_page_that_is_gone_stops_it(
    edition: Edition, reader: Make, now: dt.datetime, client_of: Make, marketeer: User, smtp_sink: Sink
) -> None:
    reader()
    first, moment = edition.items.all()[0], now + dt.timedelta(days=3)
    save_item(edition, item=first, title="Zie", body="<p>Kijk.</p>", link="https://example.nl/weg", by=None, now=now)
    plan_edition(edition, send_at=moment, by=marketeer, now=now)
    assert ask_links_ahead(now=moment - dt.timedelta(hours=3)) == 0
    assert ask_links_ahead(now=moment - dt.timedelta(hours=1)) == 1
    check_links(ask=lambda _url: Answer(404, "404 Not Found"), now=moment - dt.timedelta(hours=1))
    assert send_due_editions(now=moment) == []
    edition.refresh_from_db()
    assert (edition.state, edition.mailing) == ("planned", None)
    assert "Er is geen pagina op https://example.nl/weg" in edition.error
    assert send_due_editions(now=moment + dt.timedelta(minutes=15)) == []
    assert [send_notices(now=moment + dt.timedelta(minutes=16)) for _time in range(2)] == [1, 0]  # once
    (mail,) = smtp_sink.to(marketeer.email)
    words = mail.get_content()
    assert "Niet verzonden" in mail["Subject"]
    assert "Er is geen pagina op https://example.nl/weg" in words
    assert f"/editions/{edition.pk}/" in words
    Edition.objects.update(send_at=now - dt.timedelta(days=400))  # pages read the clock
    client = client_of(marketeer)
    assert "example.nl/weg" in client.get(f"/editions/{edition.pk}/").content.decode()
    assert "is niet verzonden" in client.get("/").content.decode()
    Edition.objects.update(send_at=moment)
    retry = moment + dt.timedelta(minutes=15)
    assert ask_links_ahead(now=retry) == 1  # it may be back
    assert send_due_editions(now=retry) == []  # not known yet
    check_links(ask=lambda _url: Answer(200, "200 OK"), now=retry)
    night, late = (moment.replace(hour=hour) + dt.timedelta(days=day) for hour, day in ((3, 1), (20, 1)))
    assert send_due_editions(now=night) == send_due_editions(now=late) == []
    assert send_due_editions(now=retry + dt.timedelta(minutes=15)) == [edition]


def test_the_links_that_are_looked_up_ahead_are_those_that_stand_there_by_now(
    edition: Edition, now: dt.datetime
) -> None:
    moment = now + dt.timedelta(hours=1)
    plan_edition(edition, send_at=moment, by=None, now=now)
    item(edition, "Later erbij", now, link="https://example.nl/later")
    assert ask_links_ahead(now=now) == 1


def test_a_moment_that_has_passed_is_refused(edition: Edition, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refusal:
        plan_edition(edition, send_at=now, by=None, now=now)
    assert refusal.value.field == "send_at"


def test_a_planned_edition_can_be_held_and_changed(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    moment = now + dt.timedelta(hours=2)
    plan_edition(edition, send_at=moment, by=None, now=now)
    change_edition(edition, subject="Toch anders", preheader="", introduction="", by=None, now=now)
    edition.refresh_from_db()
    assert (edition.state, edition.subject) == ("planned", "Toch anders")
    unplan_edition(edition, by=None)
    assert send_due_editions(now=moment) == []


def test_an_edition_that_cannot_go_out_says_why_and_does_not_stop_the_others(
    edition: Edition, newsletter: Newsletter, reader: Make, now: dt.datetime
) -> None:
    reader()
    moment = now + dt.timedelta(hours=2)
    broken = create_edition(newsletter, subject="Stuk", by=None, now=now)
    only = item(broken, "Enig item", now)
    for one in (broken, edition):
        plan_edition(one, send_at=moment, by=None, now=now)
    remove_item(only, by=None)
    assert send_due_editions(now=moment) == [edition]
    broken.refresh_from_db()
    assert (broken.state, broken.tried_at) == ("planned", moment)
    assert broken.error

    item(broken, "Weer een item", now)
    assert send_due_editions(now=moment + dt.timedelta(minutes=5)) == []
    assert send_due_editions(now=moment + dt.timedelta(minutes=15)) == [broken]
    broken.refresh_from_db()
    assert (broken.state, broken.error) == ("sent", "")


@pytest.mark.django_db(transaction=True)
def test_two_schedulers_send_an_edition_once(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    moment = now + dt.timedelta(hours=2)
    plan_edition(edition, send_at=moment, by=None, now=now)
    gate = Barrier(3)

    def ring() -> None:
        gate.wait()
        try:
            send_due_editions(now=moment)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        for future in [threads.submit(ring) for _number in range(3)]:
            future.result()
    assert (Mailing.objects.count(), Message.objects.count()) == (1, 1)
    edition.refresh_from_db()
    assert (edition.state, edition.error) == ("sent", "")


# Who gets what


def test_variants_say_how_many_get_which_items_in_one_statement(
    edition: Edition,
    grown_ups: Selection,
    theatre: Label,
    reader: Make,
    now: dt.datetime,
    django_assert_max_num_queries: Any,
) -> None:
    item(edition, "Voor vijftigers", now, selection=grown_ups)
    item(edition, "Naar het theater", now, label=theatre)
    for _number in range(3):
        reader(birth_date=dt.date(2000, 1, 1))
    old = [reader(birth_date=dt.date(1950, 1, 1)) for _number in range(2)]
    give_label(theatre, Customer.objects.filter(pk=old[0].pk), by="marketeer", now=now)
    CustomerFactory(birth_date=dt.date(1950, 1, 1))
    with django_assert_max_num_queries(4):
        variants = variants_of(edition, now=now)
    found = {tuple(one.title for one in variant.items): variant.subscriber_count for variant in variants}
    assert found == {
        ("De zomeragenda",): 3,
        ("De zomeragenda", "Voor vijftigers"): 1,
        ("De zomeragenda", "Voor vijftigers", "Naar het theater"): 1,
    }
    assert variants[0].subscriber_count == 3


def test_an_edition_without_audiences_has_one_variant(edition: Edition, reader: Make, now: dt.datetime) -> None:
    reader()
    [variant] = variants_of(edition, now=now)
    assert (len(variant.items), variant.subscriber_count) == (1, 1)


def test_numbers_of_editions_come_in_one_query(
    edition: Edition, reader: Make, now: dt.datetime, django_assert_num_queries: Any
) -> None:
    for _number in range(2):
        reader()
    send_edition(edition, by=None, now=now)
    Message.objects.filter(pk=Message.objects.order_by("pk")[0].pk).update(state="sent", sent_at=now)
    with django_assert_num_queries(1):
        [found] = Edition.objects.with_numbers()
    assert (found.item_count, found.message_count, found.sent_count) == (1, 2, 1)
    with django_assert_num_queries(1):
        [newsletter] = Newsletter.objects.with_numbers()
    assert (newsletter.edition_count, newsletter.last_sent_at) == (1, now)
