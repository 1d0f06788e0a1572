"""Clicks as they come in through gunicorn: answered from memory, written down a moment later."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import connections

from customers.models import Customer
from mailings.actions import judge_hits
from mailings.click_door import ClickDoor
from mailings.links import click_url, unsubscribe_url
from mailings.models import Click, Hit, Link, MachineClick, Mailing, Message

pytestmark = pytest.mark.django_db(transaction=True)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Visitor:
    """Asks the door, behind which nothing but the word "django" is."""

    def __init__(self) -> None:
        self.door = ClickDoor(self._django)

    def _django(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"django"]

    def ask(self, url: str, *, method: str = "GET", **headers: str) -> tuple[str, dict[str, str]]:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {"PATH_INFO": url[url.index("/m/") :], "REQUEST_METHOD": method}
        environ |= {"HTTP_USER_AGENT": FIREFOX, "HTTP_ACCEPT_LANGUAGE": "nl", **headers}
        answers: list[Any] = []
        body = b"".join(self.door(environ, lambda status, found: answers.append((status, dict(found)))))
        assert body == (b"" if answers[0][0].startswith("302") else b"django")
        return answers[0]

    def wait(self, count: int) -> None:
        until = time.monotonic() + 60
        while Hit.objects.count() < count:
            assert time.monotonic() < until, "the clicks are not written down"
            time.sleep(0.02)


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    one = Visitor()
    yield one
    one.door.stop()


@pytest.fixture
def message(start: Callable[..., Mailing], reader: Callable[..., Customer]) -> Message:
    reader(email="anna@example.nl")
    return Message.objects.get(mailing=start())


def url_of(message: Message, position: int = 0) -> str:
    return click_url(message.pk, position, mailing_id=message.mailing_id)


def test_a_click_is_answered_at_once_and_written_down_soon(
    visitor: Visitor, message: Message, now: dt.datetime
) -> None:
    status, headers = visitor.ask(url_of(message))
    assert (status, headers["Location"]) == ("302 Found", "https://www.example.nl/agenda?a=1&b=2")
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    visitor.wait(1)
    hit = Hit.objects.get()
    assert (hit.message_id, hit.position, hit.reason) == (message.pk, 0, "")
    judge_hits(now=hit.hit_at + dt.timedelta(minutes=1))
    assert Click.objects.get().message == message


def test_programs_are_told_apart_here_too(visitor: Visitor, message: Message) -> None:
    visitor.ask(url_of(message), method="HEAD")
    visitor.ask(url_of(message), HTTP_USER_AGENT="Barracuda Sentinel (EE)")
    visitor.wait(2)
    last = Hit.objects.order_by("-hit_at")[0].hit_at
    judge_hits(now=last + dt.timedelta(minutes=1))
    assert sorted(MachineClick.objects.values_list("reason", flat=True)) == ["agent", "head"]


def test_what_it_does_not_know_is_for_django(visitor: Visitor, message: Message) -> None:
    without_mailing, right = click_url(message.pk, 0), url_of(message)
    forged = right[:-2] + ("B" if right[-2] == "A" else "A") + right[-1]  # the last sign has bits that say nothing
    for url in (
        without_mailing,
        forged,
        url_of(message, 9),
        click_url(message.pk, 0, mailing_id=message.mailing_id + 1),
        unsubscribe_url(message.pk),
        "http://x/m/c/\xff..",
    ):
        assert visitor.ask(url)[0] == "200 OK"
    assert visitor.ask(url_of(message), method="POST")[0] == "200 OK"
    visitor.door.flush()
    assert not Hit.objects.exists()


def test_links_are_looked_up_once_for_a_mailing(
    visitor: Visitor, message: Message, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        for _time in range(5):
            visitor.ask(url_of(message))


def test_an_address_with_letters_of_elsewhere_is_written_as_browsers_want_it(
    visitor: Visitor, message: Message
) -> None:
    Link.objects.update(url="https://www.example.nl/één?q=ü")
    assert visitor.ask(url_of(message))[1]["Location"] == "https://www.example.nl/%C3%A9%C3%A9n?q=%C3%BC"


def test_clicks_wait_while_the_database_does_not_take_them(
    visitor: Visitor, message: Message, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.ask(url_of(message))
    visitor.wait(1)
    with connections["default"].cursor() as cursor:
        cursor.execute("ALTER TABLE mailings_hit RENAME TO mailings_hit_away")
        try:
            for _time in range(3):
                visitor.ask(url_of(message))
            until = time.monotonic() + 60
            while "clicks wait" not in caplog.text:
                assert time.monotonic() < until
                time.sleep(0.02)
        finally:
            cursor.execute("ALTER TABLE mailings_hit_away RENAME TO mailings_hit")
    visitor.wait(4)
    assert Hit.objects.count() == 4
