import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import Action
from customers.models import RetentionRun
from mailings.actions import plan_experiment, set_arms
from mailings.gate import HoldOut
from mailings.models import Arm, Mailing, Message
from selections.models import Export
from tests.factories import CustomerFactory, FactFactory, follow_link
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, service, start
from workbench.views.reports import base

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service", "start"]

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return " ".join(body.decode().split())


@pytest.fixture
def sent(start: Start, reader: Any, now: dt.datetime) -> Mailing:
    """To three readers and one who may not be reached: the first clicked and borrowed, the second borrowed."""
    people = [reader(last_name=name) for name in ("Aker", "Boom", "Cohen")]
    CustomerFactory(kind="prospect", last_name="Dekker")
    mailing = start(name="Zomeractie")
    mailing.messages.update(state="sent", sent_at=now)
    follow_link(mailing.messages.get(customer=people[0]), now=now + HOUR)
    for person in people[:2]:
        FactFactory(customer=person, occurred_at=now + DAY)
    return mailing


def test_the_report_leads_from_candidates_to_loans_with_people_behind_it(client: Client, sent: Mailing) -> None:
    response = client.get(f"/mailings/{sent.pk}/report/?kind=loan&days=7")
    page = text(response)
    assert [row["value"] for row in response.context["steps"]] == [4, 3, 3, 1, 2]
    for row in response.context["steps"]:
        people = client.get(row["url"])
        assert people.context["total"] == row["value"], row["url"]
    assert "Uitlening" in page
    assert f"/mailings/{sent.pk}/clicks/" in page


def test_the_people_of_a_group_and_a_link_are_listed(client: Client, sent: Mailing) -> None:
    url = f"/mailings/{sent.pk}/report/people/"
    clicked = text(client.get(f"{url}?step=clicked&days=30&link={sent.links.get(position=0).pk}"))
    assert "Aker" in clicked
    assert "Boom" not in clicked
    assert "example.nl" in text(client.get(f"{url}?step=sent&domain=example.nl"))
    assert client.get(f"{url}?step=clicked&link=999999").status_code == 404


def test_the_people_are_taken_out_as_a_file_by_who_may(
    client: Client, sent: Mailing, administrator: User, client_of: Any, counter_staff: User
) -> None:
    url = f"/mailings/{sent.pk}/report/people/export/?step=did&kind=loan&days=7"
    asked = {"columns": ["number", "last_name"]}
    assert client_of(counter_staff).post(url, asked).status_code == 403
    assert client.get(url).status_code == 405
    file = text(client_of(administrator).post(url, {**asked, "format": "csv"}))
    assert "Aker" in file
    assert "Cohen" not in file
    export = Export.objects.get()
    assert (export.user, export.row_count, export.columns) == (administrator, 2, ["number", "last_name"])
    book = client_of(administrator).post(url, {**asked, "format": "xlsx"})
    assert b"".join(book.streaming_content).startswith(b"PK")
    assert Export.objects.count() == 2


def test_the_figures_come_as_csv_and_as_a_workbook(client: Client, sent: Mailing) -> None:
    Message.objects.filter(mailing=sent).update(address="x@=cmd.example")
    file = text(client.get(f"/mailings/{sent.pk}/report/figures.csv?kind=loan"))
    assert "Uitlening;2;3;66,67" in file
    assert "'=cmd.example;3" in file
    response: Any = client.get(f"/mailings/{sent.pk}/report/figures.xlsx")
    with zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content))) as book:
        assert b"=cmd.example" in book.read("xl/worksheets/sheet1.xml")


def test_large_amounts_are_whole_in_the_file(client: Client, sent: Mailing, now: dt.datetime) -> None:
    person = sent.messages.order_by("pk")[0].customer
    FactFactory(customer=person, kind="ticket", amount_cents=123_456_789, occurred_at=now + DAY)
    file = text(client.get(f"/mailings/{sent.pk}/report/figures.csv"))
    assert ";1234567,89;" in file
    assert "e+" not in file


@pytest.mark.parametrize(
    "asked",
    ["branch=x", "version=A", "audience=label:x", "audience=x", "step=all", "days=13", "branch=" + "9" * 20, "link=0"],
)
def test_who_asks_for_people_that_cannot_be_finds_nobody_and_takes_nobody_out(
    client: Client, sent: Mailing, administrator: User, client_of: Any, asked: str
) -> None:
    url = f"/mailings/{sent.pk}/report/people/"
    assert client.get(f"{url}?{asked}").status_code == 404
    taken = client_of(administrator).post(f"{url}export/?{asked}", {"columns": ["number"], "format": "csv"})
    assert taken.status_code == 404
    assert not Export.objects.exists()


def test_a_control_group_of_which_nobody_did_it_is_a_control_group(
    client: Client, start: Start, readers: Any, now: dt.datetime
) -> None:
    readers(60)
    mailing = start(hold_out=HoldOut(40, "action:1"))
    mailing.messages.update(state="sent", sent_at=now)
    page = text(client.get(f"/mailings/{mailing.pk}/report/?kind=loan"))
    assert "zonder controlegroep" not in page
    assert "Geen verschil aangetoond" in page


def test_the_control_group_is_told_in_words(client: Client, start: Start, readers: Any, now: dt.datetime) -> None:
    readers(60)
    mailing = start(hold_out=HoldOut(40, "action:1"))
    mailing.messages.update(state="sent", sent_at=now)
    for message in mailing.messages.all():
        FactFactory(customer=message.customer, occurred_at=now + DAY)
    page = text(client.get(f"/mailings/{mailing.pk}/report/?kind=loan"))
    assert "procentpunt meer dan wie niets kreeg" in page
    assert "Te weinig mensen om zeker te zijn" in page
    held = mailing.decisions.filter(outcome="hold_out").count()
    assert client.get(f"/mailings/{mailing.pk}/report/people/?step=held").context["total"] == held > 0


def test_without_a_control_group_the_page_says_what_to_do(client: Client, sent: Mailing) -> None:
    assert "zonder controlegroep" in text(client.get(f"/mailings/{sent.pk}/report/"))


def test_a_nonsense_question_gets_the_usual_report(client: Client, sent: Mailing) -> None:
    response = client.get(f"/mailings/{sent.pk}/report/?days=99999&kind=<script>")
    assert "<script>" not in text(response).replace("<script nonce", "").replace("<script src", "")
    assert response.context["report"].scope.days == 14


def test_an_action_and_a_newsletter_have_a_report_of_all_their_mailings(
    client: Client, start: Start, reader: Any, make_content: Any, marketing: Any, now: dt.datetime
) -> None:
    person, content = reader(), make_content()
    action = Action.objects.create(name="Zomer", purpose=marketing, channels="email", content=content, created_at=now)
    for _ in range(2):
        start(person, content=content).messages.update(state="sent", sent_at=now)
    response = client.get(f"/actions/{action.pk}/report/")
    assert response.context["report"].funnel.sent.sent == 1
    assert "Van 2 mailings samen" in text(response)
    assert f"/actions/{action.pk}/report/" in text(client.get(f"/actions/{action.pk}/"))
    assert "Er is nog niets verzonden" in text(client.get(f"/actions/{empty(action)}/report/"))


def empty(action: Action) -> int:
    """Return an action that never ran."""
    from mailings.actions import save_content

    content = save_content(None, name="Leeg", subject="", blocks=[], now=action.created_at)
    return Action.objects.create(
        name="Leeg", purpose=action.purpose, channels="email", content=content, created_at=action.created_at
    ).pk


def test_the_click_map_shows_readers_and_shares_at_each_link(client: Client, sent: Mailing) -> None:
    page = text(client.get(f"/mailings/{sent.pk}/clicks/"))
    assert "100,0%" in page
    frame = client.get(f"/mailings/{sent.pk}/clicks/frame/")
    mail = text(frame)
    assert "1 · 100,0%" in mail
    assert "Kom kijken" in mail
    assert "https://www.example.nl/agenda" not in mail  # links lead nowhere
    assert "frame-ancestors 'self'" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_each_version_of_a_test_has_a_click_map(
    client: Client, start: Start, readers: Any, make_content: Any, now: dt.datetime
) -> None:
    readers(30)
    content = make_content()
    experiment = plan_experiment(content, now=now)
    set_arms(experiment, [{"percent": 50}, {"percent": 50, "subject": "Kom je ook?"}], now=now)
    mailing = start(content=content, with_test=True)
    mailing.messages.update(state="sent", sent_at=now)
    other = Arm.objects.get(experiment=experiment, position=1)
    follow_link(mailing.messages.filter(arm=other)[0], now=now + HOUR)
    url = f"/mailings/{mailing.pk}/clicks/"
    page = text(client.get(f"{url}?version={other.pk}"))
    assert "Versie A" in page
    assert f"version={other.pk}" in page
    assert "100,0%" in page
    assert "1 · 100,0%" in text(client.get(f"{url}frame/?version={other.pk}"))
    assert "1 · 100,0%" not in text(client.get(f"{url}frame/"))
    assert "Per versie van de test" in text(client.get(f"/mailings/{mailing.pk}/report/"))


def test_of_a_text_message_there_are_links_and_no_mail_to_see(client: Client, sent: Mailing) -> None:
    Message.objects.filter(mailing=sent).update(channel="sms")
    Mailing.objects.filter(pk=sent.pk).update(channels="sms", compiled={"text": [["", ["Kom je?"]]], "links": []})
    page = text(client.get(f"/mailings/{sent.pk}/clicks/"))
    assert "https://www.example.nl/agenda" in page
    assert "<iframe" not in page
    assert client.get(f"/mailings/{sent.pk}/clicks/frame/").status_code == 404
    steps = client.get(f"/mailings/{sent.pk}/report/").context["steps"]
    assert [row["value"] for row in steps] == [4, 3, 3, 1, 2]


def test_of_a_large_mailing_the_figures_follow_the_page(client: Client, sent: Mailing, monkeypatch: Any) -> None:
    monkeypatch.setattr(base, "AT_ONCE", 2)
    url = f"/mailings/{sent.pk}/report/?kind=loan"
    shell = client.get(url)
    assert "Aan het tellen" in text(shell)
    assert "report" not in shell.context
    assert client.get(url, headers={"HX-Request": "true"}).context["report"].funnel.sent.did == 2
    assert client.get(f"{url}&now=1").context["report"].funnel.sent.did == 2


def test_hostile_links_and_names_do_no_harm(client: Client, start: Start, reader: Any, make_content: Any) -> None:
    reader(first_name="<script>alert(1)</script>")
    content = make_content(
        {"type": "button", "data": {"text": '"><script>alert(2)</script>', "url": "https://e.example/?q=%22%3E<b>"}}
    )
    mailing = start(content=content, name="<img src=x onerror=alert(3)>")
    mailing.messages.update(state="sent", sent_at=mailing.created_at)
    for part in ("report/", "report/people/?step=sent", "clicks/", "clicks/frame/"):
        page = text(client.get(f"/mailings/{mailing.pk}/{part}"))
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_a_report_costs_the_same_for_many_readers(
    client: Client, start: Start, readers: Any, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    readers(20)
    mailing = start()
    mailing.messages.update(state="sent", sent_at=now)
    with django_assert_max_num_queries(34):
        text(client.get(f"/mailings/{mailing.pk}/report/"))
    with django_assert_max_num_queries(20):
        text(client.get(f"/mailings/{mailing.pk}/report/people/?step=sent"))


def test_a_report_of_which_rows_were_removed_says_so(client: Client, sent: Mailing, now: dt.datetime) -> None:
    page = reverse("workbench:mailing_report", args=[sent.pk])
    assert "lager dan ze waren" not in text(client.get(page))
    Mailing.objects.update(created_at=now - dt.timedelta(days=800))
    RetentionRun.objects.create(day=now.date(), started_at=now, counts={"clicks": 1200, "decisions": 0})
    told = text(client.get(page))
    assert "niet meer bekend wie klikte" in told
    assert "1.200" in told
    assert "waarom iemand niets kreeg" not in told
    rows = b"".join(client.get(reverse("workbench:mailing_report_csv", args=[sent.pk]))).decode()
    assert "Niet meer bewaard;wie klikte;1200" in rows
