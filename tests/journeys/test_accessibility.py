"""Every page, wide and narrow: axe finds nothing, nothing sticks out, one main heading, nothing the browser complains
about and nothing from elsewhere. A page that is new is found by its address.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import ConsoleMessage, Page, Request
from pytest_django import Settings

from common.tokens import make_token
from tests.access.test_every_url import addresses
from tests.browser import READY_AXE
from tests.factories import BranchFactory
from tests.journeys.story import Story
from tests.smtp_sink import Sink
from workbench.base import ListPage

pytestmark = pytest.mark.django_db(transaction=True)

# Frames have no axe in them to wait for. What is the same on every page is read on the first, and taken out of the
# others while axe reads: it would walk through all of it each time. The contrast of colours takes as long as all other
# rules together: of what looks the same before the same, as in the rows of a table, it is read of the first and the
# last, and at the second width only of what did not show at the first, or looked otherwise. What is disabled or labels
# something has no contrast to read or borrows it, and what is placed apart may lie over anything: that is always read.
AXE = """async (seen) => {
    const how = {resultTypes: ["violations"], preload: false, selectors: false, iframes: false,
        rules: {"target-size": {enabled: true}}};
    window.readyAxe();
    axe.configure({rules: [{id: "color-contrast", selector: ":not([data-read])"}]});
    const without = seen.map((known) => document.querySelector(known)).filter(Boolean);
    const taken = without.map((one) => [...one.childNodes]);
    without.forEach((one) => one.replaceChildren());
    try {
        const [behind, looks, alike] = [new Map(), new Map(), new Map()];
        const isRead = (one) => one.setAttribute("data-read", "");
        for (const one of document.body.querySelectorAll("*")) {
            if (!one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
            const style = getComputedStyle(one);
            const ground = [style.backgroundColor, style.backgroundImage, style.opacity].join();
            const isApart = one.matches("label,:disabled,[aria-disabled]") || /abs|fix|sticky/.test(style.position);
            behind.set(one, (behind.get(one.parentElement) ?? "") + (isApart ? `|${looks.size}` : "")
                + (ground === "rgba(0, 0, 0, 0),none,1" ? "" : `|${ground}`));
            const look = [one.localName, one.getAttribute("class"), style.color, style.fontSize, style.fontWeight,
                style.textShadow, behind.get(one)].join();
            looks.set(one, look);
            if (window.looksOfOtherWidth?.get(one) === look) isRead(one);
            else alike.set(look, alike.get(look) ?? []).get(look).push(one);
        }
        window.looksOfOtherWidth = looks;
        alike.forEach((same) => same.slice(1, -1).forEach(isRead));
        return (await axe.run({exclude: seen}, how)).violations.map(
            (one) => `${one.id}: ${one.help}: ${one.nodes.map((node) => node.html.slice(0, 150)).join(" | ")}`);
    } finally {
        document.querySelectorAll("[data-read]").forEach((one) => one.removeAttribute("data-read"));
        without.forEach((one, place) => one.append(...taken[place]));
    }
}"""
# The main headings, the text, and which names two parts of the page share (one of which axe may not see).
READ = """() => {
    const names = [...document.querySelectorAll("[id]")].map((one) => one.id);
    return [document.querySelectorAll("h1").length, document.body.innerText,
        names.filter((name, place) => names.indexOf(name) !== place)];
}"""
ENGLISH = re.compile(r".*\b(?:the|and|this|your|when|which|not|yet|channels?|state|date)\b.*", re.IGNORECASE)
# Asked by evaluate: waiting for a function needs eval in the page, which its policy refuses. Charts draw themselves
# again a moment after the window has changed, hence the second.
FITS = """async () => {
    for (let moment = 0; moment < 20; moment += 1) {
        if (document.documentElement.scrollWidth <= window.innerWidth) return true;
        await new Promise((go) => setTimeout(go, 50));
    }
    return false;
}"""
# All of that in one go: to and fro takes longer than most of it.
LOOK = f"""async (seen) => [({READ})(), await ({FITS})(), await ({AXE})(seen)]"""

#: Addresses that answer a GET with something else than a page of ours, by how they end.
NO_PAGES = {
    r"\.(csv|xlsx)$": "a file",
    r"/(pdf|letter|export|preview/letter)/$|^handover/file/$": "a file",
    r"^imports/<int:pk>/progress/$": "a part of a page that htmx asks for",
    r"^content/<int:pk>/text/example/$": "a part of a page that htmx asks for",
    r"^vouchers/example/$": "a part of a page that htmx asks for",
    r"^mailings/letters/<int:pk>/file/$": "a file",
    r"/frame/$": "a mail in a frame",
    r"^mailbox/<int:number>/(html|source)/$": "a mail in a frame, and a file",
    r"^customers/find/$": "a part of a page that htmx asks for",
    r"/<slug:kind>/$|/files/<int:run>/$": "a file",
    r"^mijn/website/": "leads to another site",
    r"^mijn/aanmelden/bevestigen/": "asks for a link from a mail, tested in tests/mailings",
}


def pages(start: str, story: Story | None, but: str = "") -> Iterator[str]:
    """The addresses of the pages that begin with this; without a story only those that need no object."""
    known = {"code": "text", "block_id": "b2", "number": 1, "channel": "email"}
    for address in addresses():
        view = getattr(address.callback, "view_class", None)
        is_page = view and hasattr(view, "get") and "get" in view.http_method_names
        if not is_page or not address.route.startswith(start) or (but and re.match(but, address.route)):
            continue
        if any(re.search(end, address.route) for end in NO_PAGES) or ("<" in address.route and not story):
            continue
        names = re.findall(r"<(?:\w+:)?(\w+)>", address.route)
        path = address.route
        for name in names:
            value = (
                (story and story.named(address.route, name)) or known.get(name) or (story and story.of(address.route))
            )
            path = re.sub(rf"<(?:\w+:)?{name}>", str(value), path)
        yield "/" + path
        for asked in story.questions.get(address.route, []) if story else []:
            yield f"/{path}?{urlencode(asked)}"


class Inspector:
    """Looks at pages and remembers what is wrong; ``verdict`` says it all at once."""

    def __init__(self, page: Page, host: str) -> None:
        self.page, self.host = page, host
        self.widths: Sequence[int] = (1440, 390)
        self.width = 0
        self.seen: list[str] = []  # whose content axe need not read again, as it is the same on every page
        self.faults: list[str] = []
        self.count = 0
        page.on("console", self._hear)
        page.on("request", self._see_request)
        page.add_init_script(READY_AXE)
        page.emulate_media(reduced_motion="reduce")  # nothing is on its way to where it will be

    def look_at(self, path: str) -> None:
        answer = self.page.goto(path, wait_until="load")
        assert answer
        if answer.status != 200 or "text/html" not in answer.headers["content-type"]:
            self.faults.append(f"{path}: answers {answer.status} {answer.headers.get('content-type')}")
            return
        self.count += 1
        for width in self.widths:
            if width != self.width:
                self.page.set_viewport_size({"width": width, "height": 900})
                self.width = width
            self.inspect(f"{path} at {width}")
        self.widths = self.widths[::-1]  # the next page begins at this width

    def inspect(self, where: str) -> None:
        (headings, text, twice), fits, found = self.page.evaluate(LOOK, self.seen)
        if headings != 1:
            self.faults.append(f"{where}: {headings} main headings")
        self.faults += [f"{where}: English: {line}" for line in ENGLISH.findall(text)]
        self.faults += [f"{where}: two parts are named {name}" for name in twice]
        if not fits:
            self.faults.append(f"{where}: sticks out sideways")
        self.faults += [f"{where}: {words}" for words in found]

    def _hear(self, line: ConsoleMessage) -> None:
        if line.type == "error":
            self.faults.append(f"{self.page.url}: console: {line.text}")

    def _see_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc != self.host:
            self.faults.append(f"{self.page.url}: asks {request.url}")

    def verdict(self) -> None:
        assert not self.faults, "\n" + "\n".join(self.faults)


@pytest.fixture
def inspector(page: Page, live_server: object) -> Inspector:
    return Inspector(page, urlsplit(str(live_server)).netloc)


@pytest.fixture
def story(
    administrator: User,
    now: dt.datetime,
    smtp_sink: Sink,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Story:
    monkeypatch.setattr(ListPage, "rows_per_page", 12)  # there are pages to turn, and axe has less to read
    settings.DEMO, settings.STATE_DIR, settings.MEDIA_ROOT = True, tmp_path, tmp_path / "media"
    return Story(by=administrator, now=now, sink=smtp_sink, folder=tmp_path)


def test_every_page_of_the_workbench(
    inspector: Inspector, story: Story, marketeer: User, administrator: User, sign_in: Callable[[User], None]
) -> None:
    sign_in(administrator)
    inspector.look_at("/")
    inspector.page.locator("[data-sidebar-toggle]").click()
    inspector.inspect("the menu, open on a phone")
    sign_in(marketeer)
    inspector.look_at("/")
    sign_in(administrator)
    for path in pages("", story, but=r"accounts/login|api|balie|mijn|m/|s/|healthz|readyz|favicon|language"):
        inspector.look_at(path)
        inspector.seen = ["#sidebar"] if inspector.page.query_selector("#sidebar") else []
    assert inspector.count > 60
    inspector.verdict()


def test_every_page_of_counter_and_mijnmenu(
    inspector: Inspector, page: Page, story: Story, administrator: User, sign_in: Callable[[User], None]
) -> None:
    # A stranger.
    for path in ("/accounts/login/", "/mijn/link/", "/mijn/link/?oud=1"):
        inspector.look_at(path)
    inspector.look_at(f"/m/u/{make_token('unsubscribe', story.message.pk)}")

    # A customer.
    page.goto(f"/mijn/enter/{make_token('mijnmenu', [story.customer.pk, story.customer.link_version])}/")
    for path in pages("mijn/", story, but=r"mijn/(enter|link|gegevens/(adres|bevestigen))"):
        inspector.look_at(path)

    # Counter staff, with the right to take back.
    sign_in(administrator)
    inspector.look_at("/balie/vestiging/")
    page.get_by_role("button", name=story.branch.name).click()
    for path in pages("balie/", story):
        inspector.look_at(path)
    assert inspector.count > 15
    inspector.verdict()


def test_every_list_before_anything_is_there(
    inspector: Inspector, administrator: User, sign_in: Callable[[User], None]
) -> None:
    BranchFactory(code="edam", name="Edam")
    inspector.widths = [390]  # an empty list is the same at any width
    sign_in(administrator)
    for path in pages("", None, but=r"accounts|api|mijn|m/|s/|healthz|readyz|favicon|language|.*/(add|new)/$|mailbox"):
        inspector.look_at(path)
    assert inspector.count > 15
    inspector.verdict()
