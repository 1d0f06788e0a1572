"""A real browser: headless Chromium, in Dutch, that notices errors and foreign requests by itself."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

# The one without windows is the same engine, and takes a quarter less of the processors.
PROGRAMS = ["chromium-headless-shell", "chromium", "google-chrome", "google-chrome-stable", "chrome"]
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
]
PATIENCE = 30_000  # milliseconds: what is asked for comes sooner or later, on a busy machine later
expect.set_options(timeout=PATIENCE)
# Half a megabyte that the browser can keep for every page to come. Made when it is asked for; frames have none.
READY_AXE = f"if (window === window.top) window.readyAxe = () => {{ if (!window.axe) {{ {AXE_SCRIPT} }} }}"


def chromium(own: str) -> str:
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, PROGRAMS), MAC, own]
    found = next((path for path in candidates if path and Path(path).exists()), None)
    if not found:
        pytest.fail("no Chromium found: run 'make setup', or set CHROMIUM to the program", pytrace=False)
    return found


# Per module: while it is there an event loop runs in this thread, in which other tests could run none of theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        program = chromium(playwright.chromium.executable_path)
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page at 1440 pixels; fails the test on a script error, a broken policy or a foreign request."""
    context = browser.new_context(base_url=live_server.url, locale="nl-NL", timezone_id="Europe/Amsterdam")
    context.set_default_timeout(PATIENCE)
    opened = context.new_page()
    opened.set_viewport_size({"width": 1440, "height": 900})
    complaints: list[str] = []
    host = urlsplit(live_server.url).netloc

    opened.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    opened.on(
        "console",
        lambda line: complaints.append(f"console: {line.text}") if _is_complaint(line.text, line.type) else None,
    )
    opened.on(
        "request",
        lambda request: (
            complaints.append(f"foreign request: {request.url}")
            if urlsplit(request.url).scheme in {"http", "https"} and urlsplit(request.url).netloc != host
            else None
        ),
    )
    yield opened
    context.close()
    assert not complaints, complaints


def _is_complaint(text: str, kind: str) -> bool:
    # A refused form answers 4xx on purpose, and a count may be given up for a later one: the console tells both.
    expected = (
        "Failed to load resource: the server responded with a status of 4",
        "Response Status Error Code 4",
        "htmx:sendAbort",
        "htmx:afterRequest",
    )
    return kind == "error" and not text.startswith(expected)


@pytest.fixture
def sign_in(page: Page, live_server: LiveServer) -> Callable[[User], None]:
    """Sign a user in without the form, which has a test of its own."""

    def sign_in(user: User) -> None:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])

    return sign_in


@pytest.fixture
def axe(page: Page) -> Callable[[], None]:
    """Assert that axe finds nothing on the page as it is now (WCAG 2.2 AA and best practices)."""
    # Without loading the style sheets once more, for the one rule that asks about turning the screen; and with the one
    # of WCAG 2.2 that is off unless asked for.
    how = {"resultTypes": ["violations"], "preload": False, "rules": {"target-size": {"enabled": True}}}

    def check() -> None:
        page.wait_for_load_state("load")  # a press waits until the next page begins, not until it is there
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE_SCRIPT)
        result = AxeResults(page.evaluate("(how) => axe.run(how)", how))
        assert result.violations_count == 0, result.generate_report()

    return check
