"""Looking up whether links answer: what is asked, what is not, and how long it counts."""

from __future__ import annotations

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from customers.models import Purpose
from mailings.actions import ask_link_checks, check_links
from mailings.checks import Severity, check_content
from mailings.delivery import Answer, look_up
from mailings.delivery.probing import is_public
from mailings.models import Content, LinkCheck

pytestmark = pytest.mark.django_db
State = LinkCheck.State


class _Site(BaseHTTPRequestHandler):
    """A small website: a page, one that is gone, one without HEAD, one that leads on, one that leads round."""

    heads: list[str] = []

    def do_HEAD(self) -> None:
        type(self).heads.append(self.headers["User-Agent"])
        self._answer(
            {"/": 200, "/weg": 404, "/stuk": 500, "/geen-head": 405, "/door": 302, "/rond": 302, "/krom": 302}[
                self.path
            ]
        )

    def do_GET(self) -> None:
        self._answer({"/geen-head": 200, "/weg": 404, "/stuk": 500}[self.path])

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", {"/door": "/", "/rond": "/rond", "/krom": "http://[x"}[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def here(url: str) -> Answer:
    """Look up what may lie on this machine."""
    return look_up(url, may_ask=lambda _address: True)


def test_a_page_is_there_or_not(site: str) -> None:
    assert here(f"{site}/").status == 200
    assert here(f"{site}/weg").status == 404
    assert here(f"{site}/geen-head").status == 200
    assert here(f"{site}/door").status == 200
    assert here(f"{site}/rond").status is None
    assert here(f"{site}/krom").status is None
    assert all("wise-marketing" in agent for agent in _Site.heads)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "::1", "fe80::1%eth0",
     "fd00::1", "::ffff:10.0.0.1", "0.0.0.1", "224.0.0.1",
     "2002:a00:1::1", "64:ff9b::a00:1", "fec0::1", "::10.0.0.1"],
)  # fmt: skip
def test_a_closed_network_is_not_public(address: str) -> None:
    assert not is_public(address)


def test_the_internet_is_public() -> None:
    assert is_public("145.58.28.1")
    assert is_public("2a00:1450:400e:80e::200e")


def test_nothing_is_sent_to_a_closed_network(site: str) -> None:
    before = len(_Site.heads)
    assert look_up(f"{site}/").is_internal
    assert len(_Site.heads) == before


def test_a_redirect_into_a_closed_network_is_not_followed(site: str) -> None:
    judged = iter([True, False])
    answer = look_up(f"{site}/door", may_ask=lambda _address: next(judged))
    assert answer.is_internal


@pytest.mark.parametrize(
    "url", ["ftp://x.nl/", "https://", "http://[::bad/", "javascript:alert(1)", "http://x.nl:99999/"]
)
def test_what_is_no_web_address_is_said_to_be_so(url: str) -> None:
    answer = here(url)
    assert answer.status is None
    assert answer.words


def test_a_port_where_nobody_listens_does_not_answer() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    assert here(f"http://127.0.0.1:{port}/").status is None


def test_links_are_looked_up_once_a_day(site: str, now: dt.datetime) -> None:
    urls = [f"{site}/", f"{site}/weg", f"{site}/stuk"]
    assert ask_link_checks([*urls, urls[0]], now=now) == 3
    assert check_links(ask=here, now=now) == 3
    found = {url.removeprefix(site): one.state for url, one in LinkCheck.objects.of(urls).items()}
    assert found == {"/": State.FINE, "/weg": State.BROKEN, "/stuk": State.UNREACHABLE}
    later = now + dt.timedelta(hours=23)
    assert ask_link_checks(urls, now=later) == 2  # what was not there may be back
    assert (ask_link_checks(urls, now=later), check_links(ask=here, now=later)) == (0, 2)
    assert ask_link_checks(urls, now=now + dt.timedelta(hours=25)) == 3
    assert LinkCheck.objects.waiting().count() == 3


def test_a_local_link_is_called_internal_and_an_old_one_forgotten(site: str, now: dt.datetime) -> None:
    ask_link_checks([f"{site}/"], now=now)
    check_links(now=now)
    assert LinkCheck.objects.get().state == State.INTERNAL
    check_links(now=now + dt.timedelta(days=31))
    assert not LinkCheck.objects.exists()


def test_an_address_of_any_length_and_script_is_kept(now: dt.datetime) -> None:
    long = "https://bücher.example/" + "é" * 900
    assert ask_link_checks([long], now=now) == 1
    assert LinkCheck.objects.of([long])[long].url == long


@pytest.mark.parametrize(
    ("answer", "code", "severity"),
    [
        (Answer(404, "404 Not Found"), "links.broken", Severity.ERROR),
        (Answer(500, "500 Stuk"), "links.unreachable", Severity.WARNING),
        (Answer(None, "it takes too long"), "links.unreachable", Severity.WARNING),
        (Answer(None, "closed", is_internal=True), "links.internal", Severity.WARNING),
    ],
)
def test_what_a_link_answered_is_found_at_its_block(
    make_content: Callable[..., Content], marketing: Purpose, now: dt.datetime,
    answer: Answer, code: str, severity: Severity,
) -> None:  # fmt: skip
    content = make_content()
    ask_link_checks(["https://www.example.nl/agenda?a=1&b=2"], now=now)
    check_links(ask=lambda _url: answer, now=now)
    report = check_content(content, purpose=marketing, channels="email", now=now)
    [found] = [one for one in report.findings if one.code.startswith("links.")]
    assert (found.code, found.severity, found.place) == (code, severity, content.blocks[1]["id"])
    ask_link_checks(["https://www.example.nl/agenda?a=1&b=2"], now=now)
    again = check_content(content, purpose=marketing, channels="email", now=now)  # until there is another answer
    assert [one.code for one in again.findings if one.code.startswith("links.")] == [code]
    check_links(ask=lambda _url: answer, now=now)
    later = check_content(content, purpose=marketing, channels="email", now=now + dt.timedelta(days=2))
    assert [one.code for one in later.findings if one.code.startswith("links.")] == ["links.unknown"]
