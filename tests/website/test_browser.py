"""The script in a real browser, on a website of another origin than ours."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from common.time import clock
from customers.actions import ensure_base_data
from customers.models import Fact
from tests.browser import PATIENCE
from tests.factories import CustomerFactory
from tests.website.conftest import AGENT
from tests.website.test_linking import says
from website.actions import add_rule, add_site, record_visits
from website.models import Hit, Identification, Site
from website.sites import forget_sites
from website.tokens import make_web_token

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = """<!doctype html><html lang="nl"><head><title>Bibliotheek</title>
<script src="%(crm)s/static/website/wise.js" data-site="%(key)s"%(extra)s defer></script></head><body>
<a href="/catalogus/reizen">Reizen</a>
<form method="post" action="/bedankt" name="aanmelden">
<input name="naam" value="Jansen"><button>Aanmelden</button></form>
%(agenda)s%(body)s</body></html>"""
AGENDA = """<button id="spa" onclick="history.pushState({}, '', '/agenda/')">Agenda</button>"""


class Website:
    """A website on a port of its own; all that its page is made of may be changed between visits."""

    def __init__(self) -> None:
        self.crm = self.key = self.body = self.extra = self.policy = ""
        self.agenda = AGENDA
        website = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                if website.policy:
                    self.send_header("Content-Security-Policy", website.policy)
                self.end_headers()
                self.wfile.write((PAGE % vars(website)).encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def website(live_server: LiveServer) -> Iterator[Website]:
    ensure_base_data()
    website = Website()
    site = add_site(name="Bibliotheek", hosts=[website.host], by=None, now=clock())
    add_rule(site, prefix="/catalogus", section="Catalogus", world=None, by=None)
    forget_sites()
    website.crm, website.key = live_server.url, site.key
    yield website
    website.server.shutdown()
    website.server.server_close()


@pytest.fixture
def visitor(browser: Browser, website: Website) -> Iterator[Callable[..., Page]]:
    opened: list[BrowserContext] = []

    def visit(**options: Any) -> Page:
        context = browser.new_context(
            base_url=f"http://{website.host}", **{"user_agent": AGENT, "locale": "nl-NL"} | options
        )
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        return context.new_page()

    yield visit
    for context in opened:
        context.close()


def sent(page: Page, do: Callable[[], Any], times: int = 1) -> None:
    """Do something and wait until so many more hits are kept; a page that is left does not see their answers."""
    until = Hit.objects.count() + times
    do()
    wait(page, lambda: Hit.objects.count() >= until)


def wait(page: Page, is_true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE / 1000
    while not is_true():
        page.wait_for_timeout(20)
        assert time.monotonic() < until, "waited in vain"


def test_the_script_is_small_and_stands_alone() -> None:
    script = (Path(settings.BASE_DIR) / "static/website/wise.js").read_bytes()
    assert len(script) < 3072
    assert b"cookie" not in script.replace(b"without cookies", b"")


def test_pages_forms_searches_and_stays_come_in_without_cookies(website: Website, visitor: Callable[..., Page]) -> None:
    page = visitor()
    sent(page, lambda: page.goto("/"))
    sent(page, lambda: page.click("text=Reizen"))
    website.body = '<p data-wise-results="0">Niets gevonden</p>'
    sent(page, lambda: page.goto("/zoeken/?q=geheim"), 2)
    website.body = ""
    sent(page, lambda: page.click("#spa"))
    page.wait_for_timeout(1100)  # somebody reads
    # A beacon of a page that is really gone bears the headless browser's own name, which counts as a program's.
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    wait(page, lambda: Hit.objects.get(section="agenda").duration_seconds >= 1)
    sent(page, lambda: page.click("text=Aanmelden"), 2)
    kinds = list(Hit.objects.order_by("pk").values_list("kind", "section", "name", "results"))
    # Two beacons of one page may arrive in either order.
    assert set(kinds[:5]) == {
        ("page_view", "home", "", None),
        ("page_view", "Catalogus", "", None),
        ("page_view", "zoeken", "", None),
        ("search", "zoeken", "", 0),
        ("page_view", "agenda", "", None),
    }
    assert ("form_post", "agenda", "aanmelden", None) in kinds
    assert Hit.objects.values("visit").distinct().count() == 1
    assert not page.context.cookies()
    everything = str(list(Hit.objects.values()))
    assert "geheim" not in everything
    assert "Jansen" not in everything


@pytest.mark.parametrize("allowed", [True, False])
def test_a_visit_is_linked_after_logging_in_if_the_customer_allows_it(
    website: Website, visitor: Callable[..., Page], allowed: bool
) -> None:
    customer = CustomerFactory()
    if allowed:
        says(customer, "granted")
    page = visitor()
    sent(page, lambda: page.goto("/catalogus/"))
    website.extra = f' data-token="{make_web_token(customer, now=clock())}"'
    sent(page, lambda: page.goto("/mijn/"))
    if allowed:
        wait(page, Identification.objects.exists)
    page.wait_for_load_state("networkidle")
    record_visits(now=clock() + dt.timedelta(hours=1))
    assert Hit.objects.count() == 2
    if allowed:
        facts = Fact.objects.filter(customer=customer, kind="page_view").order_by("occurred_at")
        assert list(facts.values_list("genre", flat=True)) == ["catalogus", "mijn"]
    else:
        assert not Fact.objects.exists()
        assert not Identification.objects.exists()


def test_after_logging_out_nobody_is_known_any_more(website: Website, visitor: Callable[..., Page]) -> None:
    customer = CustomerFactory()
    says(customer, "granted")
    page = visitor()
    sent(page, lambda: page.goto(f"/mijn/#wise={make_web_token(customer, now=clock())}"))
    wait(page, Identification.objects.exists)
    assert "wise=" not in page.url
    sent(page, lambda: page.evaluate("wise('logout')"))
    sent(page, lambda: page.goto("/catalogus/"))
    record_visits(now=clock() + dt.timedelta(hours=1))
    assert Fact.objects.count() == 1
    assert Hit.objects.count() == 3


def test_who_does_not_want_to_be_followed_is_not(website: Website, visitor: Callable[..., Page]) -> None:
    page = visitor()
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    page.goto("/")
    page.evaluate("wise('search', {results: 3})")
    page.wait_for_timeout(300)
    assert not Hit.objects.exists()


def test_a_strict_policy_of_the_website_needs_no_more_than_the_page_about_it_says(
    website: Website, visitor: Callable[..., Page]
) -> None:
    website.policy = f"default-src 'none'; script-src {website.crm}; connect-src {website.crm}"
    website.agenda = ""  # what it has itself, its policy refuses
    page = visitor()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    sent(page, lambda: page.goto("/"))
    assert not wrong


@pytest.mark.parametrize("blocked", ["**/wise.js", "**/w/hit/"])
def test_a_page_works_when_the_script_or_its_hits_are_blocked(
    website: Website, visitor: Callable[..., Page], blocked: str
) -> None:
    page = visitor()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.route(blocked, lambda route: route.abort())
    page.goto("/")
    page.click("#spa")
    page.click("text=Aanmelden")
    page.wait_for_url("**/bedankt")
    assert not wrong
    assert not Hit.objects.exists()


def test_two_tabs_are_two_visits(website: Website, visitor: Callable[..., Page]) -> None:
    first = visitor()
    sent(first, lambda: first.goto("/"))
    second = first.context.new_page()
    sent(second, lambda: second.goto("/"))
    assert Hit.objects.values("visit").distinct().count() == 2


def test_a_page_of_another_domain_counts_for_nothing(website: Website, visitor: Callable[..., Page]) -> None:
    Site.objects.update(hosts=["www.example.nl"])
    forget_sites()
    page = visitor()
    with page.expect_response("**/w/hit/") as answer:
        page.goto("/")
    assert answer.value.status == 403
    assert not Hit.objects.exists()
