import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from common.blocks import qr_url
from common.errors import Refused
from common.time import clock
from customers.models import Consent, Customer, Fact, Purpose
from mailings.actions import (
    Arrival,
    add_picture,
    judge_hits,
    record_hits,
    release_suppression,
    suppress_address,
    unsubscribe,
)
from mailings.links import click_url, open_url, own_open_url, picture_url, unsubscribe_url
from mailings.models import (
    Click,
    Decision,
    Hit,
    MachineClick,
    Mailing,
    Message,
    SendingSettings,
    Suppression,
    UnsubscribeReason,
)
from mailings.recipients import load_recipients
from tests.factories import ConsentFactory, PurposeFactory
from tests.mailings.test_content import picture_bytes

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]


@pytest.fixture
def visitor() -> Client:
    """Somebody without an account or cookies."""
    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Accept-Language": "nl"}
    return Client(enforce_csrf_checks=True, headers=browser)


@pytest.fixture
def message(start: Start, reader: Reader) -> Message:
    reader(email="anna@example.nl")
    return Message.objects.get(mailing=start())


def path(url: str, settings: Any) -> str:
    return url.removeprefix(settings.BASE_URL)


# --- clicks ---------------------------------------------------------------------------------------------------------


def judge() -> int:
    """What the worker does every few seconds, some time later."""
    return judge_hits(now=clock() + dt.timedelta(minutes=1))


def by_machines() -> list[str]:
    return sorted(MachineClick.objects.values_list("reason", flat=True))


def test_a_click_leads_on_counts_and_is_a_fact(visitor: Client, message: Message, settings: Any) -> None:
    response = visitor.get(path(click_url(message.pk, 0), settings))
    assert (response.status_code, response["Location"]) == (302, "https://www.example.nl/agenda?a=1&b=2")
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response.cookies == {}
    assert judge() == 1
    assert Click.objects.get().message == message
    fact = Fact.objects.get(kind="click")
    assert (fact.customer_id, fact.source.code) == (message.customer_id, "mailings")
    assert not Hit.objects.exists()


def test_a_second_click_counts_but_is_no_new_fact(visitor: Client, message: Message, settings: Any) -> None:
    for _ in range(3):
        visitor.get(path(click_url(message.pk, 0), settings))
    judge()
    visitor.get(path(click_url(message.pk, 0), settings))
    judge()
    assert (Click.objects.count(), Fact.objects.filter(kind="click").count()) == (4, 1)


def test_a_click_is_judged_when_what_belongs_to_it_has_come(visitor: Client, message: Message, settings: Any) -> None:
    visitor.get(path(click_url(message.pk, 0), settings))
    assert judge_hits(now=clock()) == 0
    assert not Click.objects.exists()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Sec-Purpose": "prefetch"}, "prefetch"),
        ({"Purpose": "prefetch"}, "prefetch"),
        ({"X-Moz": "prefetch"}, "prefetch"),
        ({"User-Agent": "Barracuda Sentinel (EE)"}, "agent"),
        ({"User-Agent": "Mozilla/5.0 (compatible; bingbot/2.0)"}, "agent"),
        ({"User-Agent": "python-requests/2.32"}, "agent"),
        ({"User-Agent": ""}, "agent"),
        ({"Accept-Language": ""}, "headers"),
    ],
)
def test_a_program_does_not_click_and_is_kept_with_the_reason(
    visitor: Client, message: Message, settings: Any, headers: dict[str, str], reason: str
) -> None:
    assert visitor.get(path(click_url(message.pk, 0), settings), headers=headers).status_code == 302
    judge()
    assert (by_machines(), Click.objects.exists(), Fact.objects.exists()) == ([reason], False, False)


def test_who_only_asks_whether_a_page_exists_does_not_click(visitor: Client, message: Message, settings: Any) -> None:
    assert visitor.head(path(click_url(message.pk, 0), settings)).status_code == 302
    judge()
    assert (by_machines(), Click.objects.exists()) == (["head"], False)


def follow(message: Message, *moments: dt.datetime) -> None:
    """Follow one link after the other, each at its moment, and let that be judged."""
    record_hits([Arrival(message.pk, position, at, "") for position, at in enumerate(moments)])
    judge_hits(now=max(moments) + dt.timedelta(minutes=1))


@pytest.mark.parametrize(("seconds", "reasons"), [(-2, ["speed"]), (0, ["speed"]), (4, ["speed"]), (6, []), (3600, [])])
def test_within_seconds_after_delivery_only_scanners_click(
    message: Message, now: dt.datetime, seconds: int, reasons: list[str]
) -> None:
    Message.objects.update(state="sent", sent_at=now)
    follow(message, now + dt.timedelta(seconds=seconds))
    assert by_machines() == reasons
    assert Fact.objects.filter(kind="click").count() == (not reasons)


@pytest.mark.parametrize(("apart", "reasons"), [(0.5, ["burst"] * 4), (1.4, ["burst"] * 4), (4, [])])
def test_who_follows_many_links_at_once_is_no_person(
    start: Start, reader: Reader, make_content: Any, now: dt.datetime, apart: float, reasons: list[str]
) -> None:
    reader()
    button = {"type": "button", "data": {"text": "Kom", "url": "https://www.example.nl/"}}
    blocks = [{**button, "data": {"text": "Kom", "url": f"https://www.example.nl/{n}"}} for n in range(4)]
    message = Message.objects.get(mailing=start(content=make_content(*blocks)))
    follow(message, *(now + dt.timedelta(seconds=apart * number) for number in range(4)))
    assert by_machines() == reasons
    assert Click.objects.count() == 4 - len(reasons)


def test_one_link_again_and_again_is_a_person(message: Message, now: dt.datetime) -> None:
    record_hits([Arrival(message.pk, 0, now, "")] * 5)
    judge_hits(now=now + dt.timedelta(minutes=1))
    assert (Click.objects.count(), by_machines()) == (5, [])


def test_a_program_that_never_stops_is_judged_too(message: Message, now: dt.datetime) -> None:
    moments = [now + dt.timedelta(seconds=9 * number) for number in range(60)]
    record_hits([Arrival(message.pk, 0, at, "agent") for at in moments])
    judge_hits(now=moments[-1])
    assert 0 < len(by_machines()) < 60


def test_a_click_by_whoever_ends_a_doubt(visitor: Client, message: Message, settings: Any) -> None:
    Message.objects.update(state="in_doubt")
    visitor.head(path(click_url(message.pk, 0), settings))
    judge()
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.sent_at is not None


def test_hits_on_a_message_that_is_gone_meanwhile_are_dropped(message: Message, now: dt.datetime) -> None:
    record_hits([Arrival(message.pk + 1, 0, now, ""), Arrival(message.pk, 99, now, "")])
    assert judge_hits(now=now + dt.timedelta(minutes=1)) == 2
    assert not Click.objects.exists()


@pytest.mark.parametrize("change", ["", "x", "1.0.aaaaaaaaaaaaaaaaaaaaaa", "é", "..", "%00"])
def test_a_forged_click_goes_nowhere(visitor: Client, message: Message, change: str) -> None:
    token = click_url(message.pk, 0).rpartition("/")[2]
    for forged in (change or "-", token[:-1] + ("A" if token[-1] != "A" else "B"), "f" + token):
        response = visitor.get(f"/m/c/{forged}")
        assert response.status_code == 404
        assert "Location" not in response
    assert not Hit.objects.exists()


def test_a_link_or_message_that_is_gone_says_so(visitor: Client, message: Message, settings: Any) -> None:
    assert visitor.get(path(click_url(message.pk, 9), settings)).status_code == 404
    assert visitor.get(path(click_url(message.pk + 1, 0), settings)).status_code == 404


def test_a_click_costs_few_queries(
    visitor: Client, message: Message, settings: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(2):
        visitor.get(path(click_url(message.pk, 0), settings))


# --- opens ----------------------------------------------------------------------------------------------------------


def test_an_opening_counts_for_the_mailing_and_nobody_in_particular(
    visitor: Client, message: Message, settings: Any
) -> None:
    address = path(open_url(message.mailing_id), settings)
    response = visitor.get(address)
    assert response["Content-Type"] == "image/gif"
    assert response["Cache-Control"] == "no-store"
    visitor.head(address)
    assert Mailing.objects.get().open_count == 1
    assert not Fact.objects.exists()


@pytest.mark.parametrize("agent", ["Mozilla/5.0", "Barracuda Sentinel (EE)", "curl/8.1"])
def test_a_program_that_loads_all_pictures_opens_nothing(
    visitor: Client, message: Message, settings: Any, agent: str
) -> None:
    ConsentFactory(customer=message.customer, purpose=Purpose.objects.get(code="open_tracking"))
    visitor.get(path(open_url(message.mailing_id), settings), headers={"User-Agent": agent})
    visitor.get(path(own_open_url(message.pk), settings), headers={"User-Agent": agent})
    mailing = Mailing.objects.get()
    assert (mailing.open_count, mailing.machine_open_count) == (0, 2)
    assert not Fact.objects.exists()


def test_a_proxy_that_loads_a_picture_when_somebody_looks_counts(
    visitor: Client, message: Message, settings: Any
) -> None:
    gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
    visitor.get(path(open_url(message.mailing_id), settings), headers={"User-Agent": gmail})
    assert Mailing.objects.get().open_count == 1


def test_the_pixel_is_the_same_for_everybody(message: Message) -> None:
    of_mailing, again, of_other = (
        open_url(mailing).rsplit(":", 2)[0]  # without the moment and the signature
        for mailing in (message.mailing_id, message.mailing_id, message.mailing_id + 1)
    )
    assert of_mailing == again != of_other


def test_who_allows_it_is_seen_to_open_a_mail_and_only_while_he_does(
    visitor: Client, message: Message, settings: Any, now: dt.datetime
) -> None:
    tracking = Purpose.objects.get(code="open_tracking")
    address = path(own_open_url(message.pk), settings)
    visitor.get(address)
    assert not Fact.objects.exists()  # did not say yes
    ConsentFactory(customer=message.customer, purpose=tracking, event_at=now - dt.timedelta(days=2))
    for _time in range(2):
        visitor.get(address)
    [fact] = Fact.objects.all()
    assert (fact.kind, fact.customer, fact.external_id) == ("open", message.customer, f"open:{message.pk}")
    assert Mailing.objects.get().open_count == 3
    assert visitor.get(path(own_open_url(message.pk + 1), settings)).status_code == 200


def test_only_mails_of_who_allows_it_carry_a_picture_of_their_own(
    start: Callable[..., Mailing], reader: Callable[..., Customer], now: dt.datetime
) -> None:
    followed, not_followed = reader(), reader()
    ConsentFactory(customer=followed, purpose=Purpose.objects.get(code="open_tracking"))
    mailing = start()
    pairs = list(mailing.messages.order_by("id").values_list("id", "customer_id"))
    recipients = load_recipients(
        pairs, compiled=mailing.compiled, identity=SendingSettings.load(), origin="mailing:1", medium="email", now=now
    )
    assert {one.customer_id: one.is_followed for one in recipients} == {followed.pk: True, not_followed.pk: False}


# --- unsubscribing --------------------------------------------------------------------------------------------------


def refusals() -> list[tuple[str, str, str]]:
    rows = Consent.objects.exclude(state="granted").order_by("customer", "purpose__code")
    return list(rows.values_list("purpose__code", "channel", "state"))


def test_looking_at_the_page_changes_nothing(visitor: Client, message: Message, settings: Any) -> None:
    address = path(unsubscribe_url(message.pk), settings)
    for look in (visitor.get, visitor.head, visitor.options):
        assert look(address).status_code in {200, 405}
    page = visitor.get(address)
    assert "Aanbiedingen en activiteiten" in page.content.decode()
    assert "a•••••@example.nl" in page.content.decode()
    assert refusals() == []
    assert Message.objects.get().state == "queued"


def test_one_click_needs_no_cookie_no_log_in_and_no_page(visitor: Client, message: Message, settings: Any) -> None:
    address = path(unsubscribe_url(message.pk), settings)
    response = visitor.post(address, {"List-Unsubscribe": "One-Click"})
    assert (response.status_code, response.cookies) == (200, {})
    assert refusals() == [("marketing", "email", "withdrawn")]
    consent = Consent.objects.get(state="withdrawn")
    assert consent.source.code == "mailings"
    assert consent.evidence == {"mailing": message.mailing_id, "message": message.pk, "method": "one-click"}
    message.refresh_from_db()
    assert (message.state, message.withdrawn_because) == ("withdrawn", "no_permission")


def test_saying_it_twice_is_one_row(visitor: Client, message: Message, settings: Any) -> None:
    for _ in range(2):
        visitor.post(path(unsubscribe_url(message.pk), settings), {"List-Unsubscribe": "One-Click"})
    assert len(refusals()) == 1


def test_on_the_page_one_may_stop_all_commercial_mail(
    visitor: Client, message: Message, settings: Any, now: dt.datetime
) -> None:
    newsletter, profiling = Purpose.objects.get(code="newsletter"), Purpose.objects.get(code="profiling")
    for purpose in (newsletter, profiling):
        ConsentFactory(customer=message.customer, purpose=purpose)
    response = visitor.post(path(unsubscribe_url(message.pk), settings), {"scope": "commercial"})
    assert response.status_code == 200
    assert "Nieuwsbrief" in response.content.decode()
    assert refusals() == [("marketing", "email", "objected"), ("newsletter", "email", "withdrawn")]


def test_all_of_this_kind_leaves_the_other_kind_alone(start: Start, reader: Reader, now: dt.datetime) -> None:
    customer, newsletter = reader(), Purpose.objects.get(code="newsletter")
    youth = PurposeFactory(code="jeugd", rule="opt_in")
    for purpose in (newsletter, youth, Purpose.objects.get(code="profiling")):
        ConsentFactory(customer=customer, purpose=purpose)
    unsubscribe(Message.objects.get(mailing=start(purpose=newsletter)), scope="kind", method="page", now=now)
    assert refusals() == [("jeugd", "email", "withdrawn"), ("newsletter", "email", "withdrawn")]


def test_everything_is_also_nothing_by_post_of_who_asked_it_and_mail_of_the_mailbox(
    start: Start, reader: Reader, now: dt.datetime
) -> None:
    anna, bert = reader(email="samen@example.nl"), reader(email="samen@example.nl")
    message = Message.objects.get(mailing=start())
    by_post = start(channels="letter")
    done = unsubscribe(message, scope="everywhere", method="page", now=now)
    own, other = (anna, bert) if message.customer == anna else (bert, anna)
    said = Consent.objects.filter(state="objected").order_by("channel")
    assert [one.channel for one in said.filter(customer=own)] == ["email", "phone", "post", "sms"]
    assert [one.channel for one in said.filter(customer=other)] == ["email"]
    assert [one.code for one in done] == ["marketing"]
    assert by_post.messages.filter(customer=own).exclude(state="withdrawn").count() == 0


def test_the_page_offers_what_there_is_to_stop_and_asks_why(visitor: Client, message: Message, settings: Any) -> None:
    address = path(unsubscribe_url(message.pk), settings)
    page = visitor.get(address).content.decode()
    offered = ["purpose", "commercial", "everywhere"]  # there is one purpose of this kind
    assert [code for code in ["purpose", "kind", "commercial", "everywhere"] if f'value="{code}"' in page] == offered
    PurposeFactory(code="kortingen", name="Kortingen", rule="marketing")
    assert 'value="kind"' in visitor.get(address).content.decode()


def test_a_reason_is_counted_once_and_kept_with_nobody(visitor: Client, message: Message, settings: Any) -> None:
    address = path(unsubscribe_url(message.pk), settings)
    for _time in range(2):
        assert visitor.post(address, {"scope": "purpose", "reason": "too_much"}).status_code == 200
    counted = UnsubscribeReason.objects.get()
    assert (counted.mailing_id, counted.reason, counted.count) == (message.mailing_id, "too_much", 1)
    assert "reason" not in Consent.objects.get(state="withdrawn").evidence
    assert visitor.post(address, {"scope": "purpose", "reason": "<script>"}).status_code == 422


@pytest.mark.parametrize("scope", ["", "alles", "purpose' OR 1=1"])
def test_a_post_without_a_choice_changes_nothing(visitor: Client, message: Message, settings: Any, scope: str) -> None:
    response = visitor.post(path(unsubscribe_url(message.pk), settings), {"scope": scope})
    assert response.status_code == 422
    assert refusals() == []


def test_it_holds_for_everybody_who_reads_the_mailbox(start: Start, reader: Reader, now: dt.datetime) -> None:
    first, second = reader(email="samen@example.nl"), reader(email="samen@example.nl")
    message = Message.objects.get(mailing=start())
    unsubscribe(message, scope="purpose", method="page", now=now)
    decided = dict(Decision.objects.filter(mailing=start()).values_list("customer", "outcome"))
    assert decided == {first.pk: "withdrawn", second.pk: "withdrawn"}


def test_what_waits_in_other_mailings_of_that_kind_is_taken_back(
    start: Start, reader: Reader, service: Purpose, now: dt.datetime
) -> None:
    reader()
    first, second, about_service = start(), start(), start(purpose=service)
    unsubscribe(Message.objects.get(mailing=first), scope="purpose", method="page", now=now)
    found = {mailing: Message.objects.get(mailing=mailing).state for mailing in (first, second, about_service)}
    assert found == {first: "withdrawn", second: "withdrawn", about_service: "queued"}


def test_from_service_mail_one_unsubscribes_from_the_commercial_kind_only(
    start: Start, reader: Reader, service: Purpose, visitor: Client, settings: Any
) -> None:
    reader()
    message = Message.objects.get(mailing=start(purpose=service))
    visitor.post(path(unsubscribe_url(message.pk), settings), {"List-Unsubscribe": "One-Click"})
    assert refusals() == [("marketing", "email", "objected")]


@pytest.mark.parametrize("kind", ["open", "mijnmenu"])
def test_a_token_of_another_door_does_not_open_this_one(visitor: Client, message: Message, kind: str) -> None:
    from common.tokens import make_token

    response = visitor.post(f"/m/u/{make_token(kind, message.pk)}", {"List-Unsubscribe": "One-Click"})
    assert response.status_code == 404
    assert refusals() == []


def test_an_old_link_of_a_message_that_is_gone_says_so(visitor: Client, message: Message, settings: Any) -> None:
    address = path(unsubscribe_url(message.pk), settings)
    message.delete()
    assert visitor.get(address).status_code == 404


# --- pictures -------------------------------------------------------------------------------------------------------


def test_a_qr_code_can_be_read_and_only_ours_is_drawn(visitor: Client, settings: Any) -> None:
    import io

    import zxingcpp
    from PIL import Image

    address = path(qr_url("ABCD-EFGH-12"), settings)
    response = visitor.get(address)
    assert response["Content-Type"] == "image/png"
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(response.content)))
    assert found.text == "ABCD-EFGH-12"
    assert visitor.get(address.replace("/q/", "/q/x")).status_code == 404


def test_a_picture_is_served_as_what_it_is(visitor: Client, now: dt.datetime, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    picture = add_picture(file=picture_bytes(), alt="Zee", now=now)
    response = visitor.get(path(picture_url(picture.key), settings))
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content).startswith(b"\xff\xd8")  # type: ignore[attr-defined]
    assert visitor.get("/m/p/00000000-0000-0000-0000-000000000000").status_code == 404


# --- what staff settle ----------------------------------------------------------------------------------------------


def test_a_suppression_is_made_and_released_by_hand_with_history(now: dt.datetime, marketeer: Any) -> None:
    suppression = suppress_address(" Boos@Example.nl ", detail="belde op", by=marketeer, now=now)
    assert (suppression.address, suppression.reason) == ("boos@example.nl", "manual")
    assert suppress_address("boos@example.nl", now=now) == suppression
    release_suppression(suppression, by=marketeer, now=now)
    released = Suppression.objects.get()
    assert (released.released_at, released.released_by) == (now, "marketeer")
    suppress_address("boos@example.nl", now=now)
    assert Suppression.objects.get().released_at is None
    with pytest.raises(Refused):
        suppress_address("geen adres", now=now)
