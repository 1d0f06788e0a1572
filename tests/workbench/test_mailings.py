import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.formats import date_format
from django.utils.timezone import localtime

from common.time import clock
from customers.models import Customer
from mailings.actions import Arrival, judge_hits, pause, record_hits, suppress_address
from mailings.models import CapRule, ClosingDay, LetterBatch, Mailing, Message, SendingSettings, Suppression
from tests.factories import BranchFactory, CustomerFactory, follow_link, limit_messages
from tests.mailings.conftest import base_data, house, make_content, marketing, reader, readers, service, start

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service", "start"]

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def test_the_list_shows_each_mailing_with_its_figures(client: Client, start: Start, readers: Any) -> None:
    readers(4)
    mailing = start(name="Zomeractie")
    for message, state in zip(Message.objects.all(), ["sent", "sent", "failed", "in_doubt"], strict=True):
        Message.objects.filter(pk=message.pk).update(state=state)
    response = client.get("/mailings/")
    assert f"/mailings/{mailing.pk}/" in text(response)
    [row] = response.context["table"].rows
    figures = ["message_count", "sent_count", "waiting_count", "failed_count", "doubt_count"]
    assert [row.get_cell(name) for name in figures] == ["4", "2", "0", "1", "1"]


def test_the_list_costs_the_same_for_many_mailings(
    client: Client, start: Start, reader: Any, django_assert_max_num_queries: Any
) -> None:
    customer = reader()
    for _ in range(6):
        start(customer)
    with django_assert_max_num_queries(12):
        client.get("/mailings/")


def test_the_page_shows_the_funnel_and_it_adds_up(client: Client, start: Start, readers: Any) -> None:
    readers(3)
    CustomerFactory(kind="prospect")
    mailing = start()
    response = client.get(f"/mailings/{mailing.pk}/")
    context = response.context
    assert context["candidate_count"] == sum(row["value"] for row in context["funnel"].rows) == 4
    assert context["message_count"] == sum(row["value"] for row in context["state_rows"]) == 3
    page = text(response)
    assert f"/mailings/{mailing.pk}/decisions/?outcome=no_permission" in page
    assert f"/mailings/{mailing.pk}/messages/?state=queued" in page


def test_the_page_shows_clicks_failures_and_doubts(
    client: Client, start: Start, readers: Any, now: dt.datetime
) -> None:
    readers(3)
    mailing = start()
    first, second, third = Message.objects.order_by("id")
    follow_link(first, now=now)
    follow_link(first, now=now)
    record_hits([Arrival(first.pk, 0, now, "agent")] * 3)
    judge_hits(now=now + dt.timedelta(minutes=1))
    Message.objects.filter(pk=second.pk).update(state="failed", reply="550 5.1.1 <unknown> user")
    Message.objects.filter(pk=third.pk).update(state="in_doubt")
    page = text(client.get(f"/mailings/{mailing.pk}/"))
    assert "550 5.1.1 &lt;unknown&gt; user" in page
    assert f"/mailings/{mailing.pk}/messages/?state=in_doubt" in page
    link = page.partition("https://www.example.nl/agenda?a=1&amp;b=2")[2].partition("</tr>")[0]
    assert [cell.partition("<")[0] for cell in link.split('class="num">')[1:]] == ["1", "2", "3"]


def test_decisions_can_be_looked_up_by_reason_and_customer(client: Client, start: Start, reader: Any) -> None:
    reader(last_name="Bakker"), CustomerFactory(kind="prospect", last_name="Visser")
    mailing = start()
    refused = text(client.get(f"/mailings/{mailing.pk}/decisions/?outcome=no_permission"))
    assert "Visser" in refused
    assert "Bakker" not in refused
    found = text(client.get(f"/mailings/{mailing.pk}/decisions/?q=bakker"))
    assert "Bakker" in found
    assert "Visser" not in found


def test_messages_are_listed_without_a_query_per_row(
    client: Client, start: Start, readers: Any, django_assert_max_num_queries: Any
) -> None:
    readers(20)
    mailing = start()
    with django_assert_max_num_queries(14):
        text(client.get(f"/mailings/{mailing.pk}/messages/"))


def test_a_mailing_is_held_and_goes_on(client: Client, start: Start, readers: Any) -> None:
    readers(1)
    mailing = start()
    client.post(f"/mailings/{mailing.pk}/pause/")
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    client.post(f"/mailings/{mailing.pk}/resume/")
    mailing.refresh_from_db()
    assert mailing.state == "sending"
    history = text(client.get(f"/mailings/{mailing.pk}/"))
    assert history.count("marketeer") >= 2


def test_the_page_tells_until_when_messages_wait(client: Client, start: Start, readers: Any) -> None:
    readers(3)
    mailing = start()
    assert "gaat weg vanaf" not in text(client.get(f"/mailings/{mailing.pk}/"))
    late = clock() + dt.timedelta(hours=9)
    late_one, *_others = mailing.messages.all()
    Message.objects.filter(pk=late_one.pk).update(next_attempt_at=late)
    page, shown = text(client.get(f"/mailings/{mailing.pk}/")), date_format(localtime(late), "j b Y H:i")
    assert "1 bericht wacht op zijn moment" in page
    assert f"Het gaat weg vanaf {shown}." in page
    client.post(f"/mailings/{mailing.pk}/pause/")
    assert "gaat weg vanaf" not in text(client.get(f"/mailings/{mailing.pk}/"))


def test_a_mailing_is_cancelled_once(client: Client, start: Start, readers: Any) -> None:
    readers(3)
    mailing = start()
    assert "3 berichten" in text(client.post(f"/mailings/{mailing.pk}/cancel/", follow=True))
    assert set(Message.objects.values_list("state", flat=True)) == {"withdrawn"}
    assert "Geannuleerd" in text(client.post(f"/mailings/{mailing.pk}/resume/", follow=True))
    mailing.refresh_from_db()
    assert mailing.state == "cancelled"


@pytest.mark.parametrize("what", ["pause", "resume", "cancel", "print"])
def test_looking_changes_nothing(client: Client, start: Start, readers: Any, what: str) -> None:
    readers(1)
    mailing = start()
    assert client.get(f"/mailings/{mailing.pk}/{what}/").status_code == 405
    mailing.refresh_from_db()
    assert mailing.state == "sending"


def test_letters_are_printed_and_downloaded(client: Client, start: Start, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    CustomerFactory(email=""), CustomerFactory(email="")
    mailing = start(channels="letter")
    assert "2 brieven" in text(client.get(f"/mailings/{mailing.pk}/"))
    page = text(client.post(f"/mailings/{mailing.pk}/print/", follow=True))
    batch = LetterBatch.objects.get()
    assert f"/mailings/letters/{batch.pk}/" in page
    assert batch.created_by is not None
    download = client.get(f"/mailings/letters/{batch.pk}/file/")
    assert download["Content-Type"] == "application/pdf"
    assert "attachment" in download["Content-Disposition"]
    assert b"".join(download.streaming_content).startswith(b"%PDF")  # type: ignore[attr-defined]


def test_letters_are_for_those_who_may_manage_mailings(
    start: Start, counter_staff: User, client_of: Any, now: dt.datetime
) -> None:
    CustomerFactory(email="")
    mailing = start(channels="letter")
    batch = LetterBatch.objects.create(mailing=mailing, letter_count=1, created_at=now)
    assert client_of(counter_staff).get(f"/mailings/letters/{batch.pk}/").status_code == 403


def test_addresses_are_blocked_and_released(client: Client, now: dt.datetime) -> None:
    page = text(client.post("/mailings/blocked/add/", {"address": "boos@example.nl", "detail": "belde"}, follow=True))
    assert "boos@example.nl" in page
    suppression = Suppression.objects.get()
    client.post(f"/mailings/blocked/{suppression.pk}/release/")
    suppression.refresh_from_db()
    assert suppression.released_by == "marketeer"
    assert "boos@example.nl" not in text(client.get("/mailings/blocked/"))


def test_an_address_that_is_none_is_sent_back(client: Client) -> None:
    assert client.post("/mailings/blocked/add/", {"address": "geen adres"}).status_code == 422


def sending_form(**changes: Any) -> dict[str, Any]:
    current = SendingSettings.load()
    from workbench.forms.sending import SendingForm

    given = {name: getattr(current, name) for name in SendingForm.Meta.fields}
    return {**given, "send_days": list(current.send_days), **changes}


def test_an_administrator_changes_how_we_send(
    house: SendingSettings, administrator: User, client: Client, client_of: Any
) -> None:
    assert client.get("/sending/").status_code == 403
    admin = client_of(administrator)
    page = text(admin.post("/sending/", sending_form(organisation="Bibliotheek Zaan", wait_days=5), follow=True))
    assert "administrator" in page
    saved = SendingSettings.objects.get()
    assert (saved.organisation, saved.wait_days) == ("Bibliotheek Zaan", 5)


@pytest.mark.parametrize(
    "wrong", [{"sender_email": "rood"}, {"send_from_hour": 20, "send_until_hour": 8}, {"hold_out_percent": 80}]
)
def test_settings_that_cannot_be_are_sent_back(
    house: SendingSettings, administrator: User, client_of: Any, wrong: dict[str, Any]
) -> None:
    assert client_of(administrator).post("/sending/", sending_form(**wrong)).status_code == 422
    assert SendingSettings.objects.get().hold_out_percent == 0


def test_hostile_names_do_no_harm_on_the_pages(client: Client, start: Start, reader: Any, now: dt.datetime) -> None:
    hostile: Customer = reader(first_name="<script>alert(1)</script>")
    mailing = start(name="<img src=x onerror=alert(1)>")
    suppress_address("a@example.nl", detail="<script>", now=now)
    pause(mailing, reason="550 <script>alert(1)</script>", now=now)
    for address in (
        "/mailings/", f"/mailings/{mailing.pk}/", f"/mailings/{mailing.pk}/messages/",
        f"/mailings/{mailing.pk}/decisions/", "/mailings/blocked/",
    ):  # fmt: skip
        page = text(client.get(address))
        assert "<script>alert" not in page
        assert "<img src=x" not in page
    assert hostile.pk


def test_an_administrator_sets_limits_on_messages(
    house: SendingSettings, administrator: User, client: Client, client_of: Any, marketing: Any
) -> None:
    assert client.get("/sending/limits/add/").status_code == 403
    admin = client_of(administrator)
    given = {"messages": 1, "days": 30, "purpose": marketing.pk, "channel": "post"}
    page = text(admin.post("/sending/limits/add/", given, follow=True))
    assert "1 bericht in 30 dagen" in page
    assert "3 berichten in 7 dagen" in page
    assert admin.post("/sending/limits/add/", given).status_code == 422
    rule = CapRule.objects.get(channel="post")
    page = text(admin.post(f"/sending/limits/{rule.pk}/", {**given, "messages": 2}, follow=True))
    assert "2 berichten in 30 dagen" in page
    admin.post(f"/sending/limits/{rule.pk}/remove/")
    assert CapRule.objects.count() == 1


def test_who_waits_is_seen_on_his_page_and_in_the_list(
    client: Client, start: Start, reader: Any, now: dt.datetime
) -> None:
    limit_messages(1, days=7, wait_days=10)
    customer = reader()
    low = start(priority=1)
    start(priority=3)
    assert "wacht op een beurt" in text(client.get(f"/customers/{customer.pk}/messages/"))
    assert "Eerder, van" in text(client.get(f"/customers/{customer.pk}/messages/"))
    assert "Wacht tot" in text(client.get(f"/mailings/{low.pk}/decisions/?outcome=waits"))


def test_an_administrator_closes_days(
    house: SendingSettings, administrator: User, client: Client, client_of: Any, now: dt.datetime
) -> None:
    assert client.get("/sending/closing-days/add/").status_code == 403
    admin = client_of(administrator)
    branch = BranchFactory(name="Edam")
    given = {"name": "Verhuizing", "branch": branch.pk, "first_day": "2099-01-01", "last_day": "2099-01-03"}
    assert "Verhuizing" in text(admin.post("/sending/closing-days/add/", given, follow=True))
    closing = ClosingDay.objects.get()
    admin.post(f"/sending/closing-days/{closing.pk}/", {**given, "branch": ""})
    assert "De hele organisatie" in text(admin.get("/sending/"))
    wrong = {**given, "last_day": "2098-01-01"}
    assert admin.post(f"/sending/closing-days/{closing.pk}/", wrong).status_code == 422
    admin.post(f"/sending/closing-days/{closing.pk}/remove/")
    assert not ClosingDay.objects.exists()


def test_an_administrator_chooses_the_days_on_which_is_sent(
    house: SendingSettings, administrator: User, client_of: Any
) -> None:
    admin = client_of(administrator)
    admin.post("/sending/", sending_form(send_days=["1", "3"]))
    assert SendingSettings.load().send_days == "13"
    assert text(admin.get("/sending/")).count('name="send_days"') == 7
    assert admin.post("/sending/", sending_form(send_days=[])).status_code == 422
