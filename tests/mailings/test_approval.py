import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.errors import Refused
from customers.models import Customer, Purpose
from mailings import worker
from mailings.actions import (
    approve,
    cancel,
    change_content,
    change_sending_settings,
    change_text_settings,
    print_letters,
    refuse,
)
from mailings.frozen import mark_of_mailing, preview_mailing
from mailings.models import Content, Mailing, Message
from tests.factories import DefinitionFactory
from tests.smtp_sink import Sink
from vouchers.models import Definition, Voucher

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
Readers = Callable[[int], list[Customer]]


@pytest.fixture
def mailing(start: Start, readers: Readers, marketeer: User) -> Mailing:
    change_sending_settings(approval_from=3)
    readers(3)
    return start(by=marketeer)


def states() -> set[str]:
    return set(Message.objects.values_list("state", flat=True))


def test_a_large_mailing_awaits_a_second_person(
    mailing: Mailing, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    assert mailing.state == "awaits"
    with pytest.raises(Refused, match="collega"):
        approve(mailing, seen=mark_of_mailing(mailing), by=marketeer, now=now)
    with pytest.raises(Refused, match="collega"):
        refuse(mailing, reason="Toch niet", by=marketeer, now=now)
    approve(mailing, seen=mark_of_mailing(mailing), by=administrator, now=now)
    mailing.refresh_from_db()
    assert (mailing.state, mailing.approved_by, mailing.approved_at) == ("sending", administrator, now)
    with pytest.raises(Refused):
        approve(mailing, seen=mark_of_mailing(mailing), by=administrator, now=now)


def test_who_planned_what_began_by_itself_is_not_the_second_person(
    start: Start, readers: Readers, marketeer: User, administrator: User, client_of: Any, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=3)
    readers(3)
    planned = start(by=None, planned_by=marketeer)
    with pytest.raises(Refused, match="collega"):
        approve(planned, seen=mark_of_mailing(planned), by=marketeer, now=now)
    with pytest.raises(Refused, match="collega"):
        refuse(planned, reason="Toch niet", by=marketeer, now=now)
    page = client_of(marketeer).get(f"/mailings/{planned.pk}/").content.decode()
    assert "approve/" not in page
    assert f"in gang gezet door {marketeer.get_full_name() or marketeer.username}" in page
    approve(planned, seen=mark_of_mailing(planned), by=administrator, now=now)
    planned.refresh_from_db()
    assert planned.state == "sending"


def test_a_smaller_one_and_service_messages_do_not(
    start: Start, readers: Readers, service: Purpose, marketeer: User
) -> None:
    change_sending_settings(approval_from=3)
    customers = readers(3)
    assert start(customers[0], customers[1], by=marketeer).state == "sending"
    assert start(purpose=service, by=marketeer).state == "sending"


def test_who_refuses_says_why_and_nothing_is_sent(mailing: Mailing, administrator: User, now: dt.datetime) -> None:
    assert refuse(mailing, reason="De datum klopt niet", by=administrator, now=now) == 3
    mailing.refresh_from_db()
    assert (mailing.state, mailing.pause_reason) == ("cancelled", "De datum klopt niet")
    assert states() == {"withdrawn"}


def test_who_started_it_may_still_cancel_it(mailing: Mailing, marketeer: User, now: dt.datetime) -> None:
    cancel(mailing, by=marketeer, now=now)
    assert states() == {"withdrawn"}


def with_voucher(make_content: Any) -> tuple[Content, Definition]:
    definition = DefinitionFactory()
    return make_content({"type": "voucher", "data": {"definition": definition.pk}}), definition


def test_nobody_has_a_voucher_before_the_second_person_said_yes(
    start: Start, readers: Readers, make_content: Any, administrator: User, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=3)
    readers(3)
    content, _definition = with_voucher(make_content)
    refused, approved = start(content=content), start(content=content)
    assert not Voucher.objects.exists()
    refuse(refused, reason="Toch niet", by=administrator, now=now)
    approve(approved, seen=mark_of_mailing(approved), by=administrator, now=now + dt.timedelta(days=2))
    given = set(Voucher.objects.values_list("origin", "issued_at"))
    assert given == {(f"mailing:{approved.pk}", now + dt.timedelta(days=2))}
    assert Voucher.objects.count() == 3


def test_a_voucher_that_is_not_given_out_is_told_at_the_start_and_at_the_approval(
    start: Start, readers: Readers, make_content: Any, administrator: User, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=3)
    readers(3)
    content, definition = with_voucher(make_content)
    mailing = start(content=content)
    Definition.objects.filter(pk=definition.pk).update(state="paused")
    with pytest.raises(Refused, match=definition.name):
        start(content=content)
    with pytest.raises(Refused, match=definition.name):
        approve(mailing, seen=mark_of_mailing(mailing), by=administrator, now=now)
    mailing.refresh_from_db()
    assert mailing.state == "awaits"


def test_letters_wait_for_the_approval_too(start: Start, readers: Readers, marketeer: User, now: dt.datetime) -> None:
    change_sending_settings(approval_from=1)
    readers(1)
    letters = start(channels="letter", by=marketeer)
    with pytest.raises(Refused):
        print_letters(letters, now=now)


@pytest.mark.django_db(transaction=True)
def test_a_worker_sends_nothing_of_it_before(
    start: Start, readers: Readers, marketeer: User, administrator: User, smtp_sink: Sink
) -> None:
    change_sending_settings(approval_from=3)
    readers(3)
    now = dt.datetime.now(dt.UTC)
    mailing = start(by=marketeer, now=now)
    assert worker.send_ready(seconds=30).counts == {}
    assert smtp_sink.received == []
    approve(mailing, seen=mark_of_mailing(mailing), by=administrator, now=now)
    assert worker.send_ready(seconds=30).counts == {"sent": 3}


def test_the_page_asks_a_colleague_and_not_who_started_it(
    mailing: Mailing, marketeer: User, administrator: User, client_of: Any
) -> None:
    page = f"/mailings/{mailing.pk}/"
    own, other = client_of(marketeer).get(page).content.decode(), client_of(administrator).get(page).content.decode()
    assert "Vraag een collega" in own
    assert f"{page}message/" in other
    assert f"{page}approve/" not in client_of(marketeer).get(f"{page}message/").content.decode()
    assert f"{page}approve/" in client_of(administrator).get(f"{page}message/").content.decode()
    assert "wacht op goedkeuring" in client_of(administrator).get("/").content.decode()
    assert client_of(administrator).post(f"{page}refuse/", {"reason": ""}).status_code == 422
    assert "De datum klopt niet" in client_of(administrator).post(
        f"{page}refuse/", {"reason": "De datum klopt niet"}, follow=True
    ).content.decode()  # fmt: skip


def test_approving_is_a_right_of_its_own(mailing: Mailing, make_user: Any, client: Client, client_of: Any) -> None:
    counter = client_of(make_user("counter"))
    assert counter.post(f"/mailings/{mailing.pk}/approve/").status_code == 403
    colleague = client_of(make_user("marketeer", "collega"))
    colleague.post(f"/mailings/{mailing.pk}/approve/", {"seen": mark_of_mailing(mailing)})
    mailing.refresh_from_db()
    assert mailing.state == "sending"


def test_who_approves_sees_what_was_frozen_and_is_asked_anew_when_the_text_was_changed(
    mailing: Mailing, administrator: User, marketeer: User, client_of: Any, now: dt.datetime
) -> None:
    page, client = f"/mailings/{mailing.pk}/message/", client_of(administrator)
    frozen, seen = preview_mailing(mailing, now=now).subject, mark_of_mailing(mailing)
    assert seen in client.get(page).content.decode()
    change_content(
        Content.objects.get(pk=mailing.content_id), subject="Een heel ander onderwerp", by=marketeer, now=now
    )
    refused = client.post(f"/mailings/{mailing.pk}/approve/", {"seen": seen}, follow=True).content.decode()
    mailing.refresh_from_db()
    assert mailing.state == "awaits"
    assert "niet wat je hebt bekeken" in refused
    shown = client.get(page).content.decode()
    assert "Een heel ander onderwerp" not in shown
    assert frozen in shown
    assert "verzendt versie 1, die hier staat; de nieuwste is versie 2" in shown
    assert preview_mailing(mailing, customer=Customer.objects.first(), now=now).subject == "Nieuws voor Anna"
    client.post(f"/mailings/{mailing.pk}/approve/", {"seen": mark_of_mailing(mailing)})
    mailing.refresh_from_db()
    assert mailing.state == "sending"


def test_another_sender_is_something_else_than_was_seen(
    mailing: Mailing, administrator: User, now: dt.datetime
) -> None:
    seen = mark_of_mailing(mailing)
    change_sending_settings(sender_name="Iemand anders")
    with pytest.raises(Refused, match="niet wat je hebt bekeken"):
        approve(mailing, seen=seen, by=administrator, now=now)
    mailing.channels, mailing.compiled = Mailing.Channels.SMS, {}
    seen = mark_of_mailing(mailing)
    change_text_settings(sender="Iemand")
    assert mark_of_mailing(mailing) != seen
