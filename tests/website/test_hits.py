"""What websites send: taken in strictly, without anybody in it, and never an error on a page because of us."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import NOW
from tests.website.conftest import AGENT, Send
from website import throttle
from website.actions import change_site
from website.hits import BadHit, Rule, is_bot, place_of, read_sent
from website.models import Hit, Site
from website.sites import forget_sites


def body(**parts: Any) -> bytes:
    return json.dumps({"s": "sleutel-1", "v": "bezoek-een", "i": "pagina-een", "t": "view"} | parts).encode()


def test_a_page_view_is_kept_without_its_address(send: Send) -> None:
    assert send(p="/catalogus/reizen/jan-jansen-1234?pas=P-9876").status_code == 204
    hit = Hit.objects.get()
    assert (hit.kind, hit.section, hit.world, hit.visit) == ("page_view", "Reisboeken", "reizen", "bezoek-een")
    everything = json.dumps(list(Hit.objects.values()), default=str)
    assert "jansen" not in everything
    assert "P-9876" not in everything
    assert "127.0.0.1" not in everything


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"t": "search", "r": 0}, ("search", "", 0)),
        ({"t": "form", "n": "aanmelden-nieuwsbrief"}, ("form_post", "aanmelden-nieuwsbrief", None)),
        ({"t": "form", "n": "jan@example.nl"}, ("form_post", "", None)),
        ({"t": "form", "n": "klant 1234567"}, ("form_post", "", None)),
        ({"t": "login"}, ("login", "", None)),
        ({"t": "app", "d": 60}, ("app_use", "", None)),
    ],
)
def test_other_doings_are_kept_with_a_name_that_is_one(send: Send, parts: dict[str, Any], expected: Any) -> None:
    what = parts.pop("t")
    assert send(what, **parts).status_code == 204
    hit = Hit.objects.get()
    assert (hit.kind, hit.name, hit.results) == expected


def test_how_long_a_page_was_looked_at_is_told_later_and_only_grows(send: Send) -> None:
    send(i="pagina-x")
    for seconds in (40, 90, 20):
        send("time", i="pagina-x", d=seconds)
    assert Hit.objects.get().duration_seconds == 90
    send("time", i="pagina-x", d=10**9)
    assert Hit.objects.get().duration_seconds == 4 * 3600


def test_another_visit_cannot_change_it(send: Send) -> None:
    send(i="pagina-x")
    send("time", i="pagina-x", d=50, v="iemand-anders")
    assert Hit.objects.get().duration_seconds == 0


def test_a_hit_told_twice_is_one(send: Send) -> None:
    send(i="pagina-x")
    assert send(i="pagina-x").status_code == 204
    assert Hit.objects.count() == 1


def test_what_people_search_for_is_only_kept_when_the_site_says_so(send: Send, site: Site) -> None:
    send("search", q="Zwangerschap  ", r=3)
    assert Hit.objects.get().query == ""
    change_site(site, keeps_queries=True, by=None, now=NOW)
    forget_sites()
    send("search", q="Zwangerschap  ", r=3)
    assert Hit.objects.order_by("-pk")[0].query == "zwangerschap"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://elders.example.org"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "null"}, 403),
        ({"dnt": "1"}, 204),
        ({"sec-gpc": "1"}, 204),
        ({"user-agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}, 204),
        ({"user-agent": ""}, 204),
    ],
)
def test_strangers_programs_and_who_objects_leave_nothing(send: Send, headers: dict[str, str], status: int) -> None:
    assert send(headers=headers).status_code == status
    assert not Hit.objects.exists()


def test_an_app_has_no_domain(send: Send, site: Site) -> None:
    change_site(site, is_app=True, by=None, now=NOW)
    forget_sites()
    assert send("app", headers={"origin": ""}).status_code == 204
    assert Hit.objects.get().kind == "app_use"


def test_a_site_out_of_use_takes_nothing(send: Send, site: Site) -> None:
    change_site(site, is_active=False, by=None, now=NOW)
    forget_sites()
    assert send().status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"{}", b"\xff\xfe", body(t="theft"), body(t=None), body(v="kort"),
        body(v="x" * 25), body(i="met spatie!"), body(s=12345678), body(d="lang"), body(r=[1]), body(d=1.5),
        body(p="x" * 3000), body(v={"a": 1}),
    ],
)  # fmt: skip
def test_what_the_script_would_never_send_is_refused(site: Site, wrong: bytes) -> None:
    with pytest.raises(BadHit):
        read_sent(wrong)
    answer = Client().post(
        "/w/hit/", wrong, content_type="text/plain", headers={"origin": "https://www.example.nl", "user-agent": AGENT}
    )
    assert answer.status_code == 400
    assert answer.content == b""


def test_a_nul_in_a_text_is_no_error(send: Send, site: Site) -> None:
    change_site(site, keeps_queries=True, by=None, now=NOW)
    forget_sites()
    assert send("search", q="a\0b", p="/a\0b", n="x\0y").status_code == 204


@pytest.mark.parametrize("what", ["view", "search", "form", "identify"])
def test_half_a_character_is_no_error(site: Site, what: str) -> None:
    change_site(site, keeps_queries=True, keeps_pages=True, by=None, now=NOW)
    forget_sites()
    half = '"\\ud800"'
    sent = f'{{"s": "{site.key}", "v": "bezoek-een", "i": "pagina-een", "t": "{what}", "q": {half}, "n": {half}, '
    answer = Client().post(
        "/w/hit/",
        (sent + f'"p": {half}, "c": {half}}}').encode(),
        content_type="text/plain",
        headers={"origin": "https://www.example.nl", "user-agent": AGENT},
    )
    assert answer.status_code == 204


@pytest.mark.parametrize("size", [3_000, 3_000_000])
def test_a_body_that_is_too_large_is_refused_without_an_error(site: Site, size: int) -> None:
    answer = Client().post(
        "/w/hit/",
        b"x" * size,
        content_type="text/plain",
        headers={"origin": "https://www.example.nl", "user-agent": AGENT},
    )
    assert answer.status_code == 400


def test_only_posting_is_possible_and_no_cookie_is_set(client: Client, send: Send) -> None:
    assert client.get("/w/hit/").status_code == 405
    asked = client.options("/w/hit/", headers={"origin": "https://www.example.nl"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Methods"]) == (204, "POST")
    answer = send()
    assert not answer.cookies
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_flood_from_one_address_stops(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "PER_MINUTE", 3)
    minute, answers = 0.0, list[int]()
    while minute != time.monotonic() // 60:  # or the minute turned while they were sent
        Hit.objects.all().delete()
        throttle.start_again()
        minute = time.monotonic() // 60
        answers = [send().status_code for _time in range(5)]
    assert answers == [204, 204, 204, 429, 429]
    assert Hit.objects.count() == 3


def test_a_hit_is_one_statement(send: Send) -> None:
    send()  # the sites are known from here on
    with CaptureQueriesContext(connection) as asked:
        send()
    assert len(asked) == 1


def test_the_longest_rule_tells_the_section() -> None:
    rules = [Rule("/catalogus", "Catalogus", ""), Rule("/catalogus/reizen/", "Reisboeken", "reizen")]
    assert place_of("/catalogus/reizen/noorwegen", rules) == ("Reisboeken", "reizen")
    assert place_of("/Catalogus?zoek=x", rules) == ("Catalogus", "")
    assert place_of("/agenda/2026-06-15", rules) == ("agenda", "")
    assert place_of("/", rules) == ("home", "")
    assert place_of("", rules) == ("home", "")
    assert place_of("/jan@example.nl", rules) == ("overig", "")
    assert place_of("/1234567", rules) == ("overig", "")


@pytest.mark.parametrize("agent", ["", "curl/8.5.0", "python-requests/2.32", "AdsBot-Google", "HeadlessChrome/140.0"])
def test_programs_are_recognised(agent: str) -> None:
    assert is_bot(agent)


def test_people_are_no_programs() -> None:
    assert not is_bot(AGENT)
    assert not is_bot("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari")
