"""Photograph every page at 1440 and 390 pixels for each kind of user, with the data of the demo's story.

Run by `make screenshots` on throw-away servers. It follows links from the entrances and takes one picture per
address pattern, so a new page appears by itself; at the counter it also takes in a voucher. Also says which pages
overflow sideways and what the browser complains about. With the word ``readme`` it renews the three pictures of the
README instead.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import django
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
TARGET = PROJECT / "screenshots"
README = PROJECT / "docs" / "screenshots"
WIDTHS = {1440: 900, 390: 844}
CUSTOMERS = os.environ.get("CUSTOMERS", "1000")
# Documents, feeds and switches that are no pages.
NOT_PAGES = ("/static/", "/accounts/logout/", "/language/", "/healthz/", "/readyz/", "/api/v1/schema/")

sys.path.insert(0, str(PROJECT))
os.environ.update(DJANGO_SETTINGS_MODULE="wise_marketing.settings", DEMO="1", DJANGO_ALLOW_ASYNC_UNSAFE="1")


def main() -> int:
    """Tell the story, serve it, and walk through it once per role; return an exit code."""
    port = free_port()
    tell = ["demo", "--customers", CUSTOMERS, "--port", str(port), "--exit"]
    subprocess.run([sys.executable, "-m", *tell], check=True, cwd=PROJECT)
    os.environ["BASE_URL"] = f"http://localhost:{port}"  # as in the mails that the demo sent
    django.setup()
    from django.contrib.auth.models import User

    from common.roles import COUNTER, ROLES
    from tests.browser import FLAGS, chromium

    if sys.argv[1:] == ["readme"]:
        with served(port) as base, sync_playwright() as playwright:
            path = chromium(playwright.chromium.executable_path)
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            show_in_readme(browser, base)
            browser.close()
        return 0
    TARGET.mkdir(exist_ok=True)
    for picture in TARGET.glob("*.png"):
        picture.unlink()
    with served(port) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(playwright.chromium.executable_path), args=FLAGS)
        walk(browser, base, "nobody", ["/accounts/login/", *customer_addresses()], None)
        for role in ROLES:
            user = User.objects.filter(groups__name=role, is_active=True).order_by("pk").first()
            if user:
                walk(browser, base, role, ["/", "/balie/", "/api/v1/docs/"], user)
                if role == COUNTER:
                    take_in_a_voucher(browser, base, user)
        browser.close()
    print(f"{len(list(TARGET.glob('*.png')))} pictures in {TARGET}")
    return 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(port: int) -> Iterator[str]:
    """Serve the pages from a process of its own; give its address."""
    options = f"--bind 127.0.0.1:{port} --threads 4 --log-level error --access-logfile {os.devnull}"
    command = [sys.executable, "-m", "gunicorn", "wise_marketing.wsgi", *options.split()]
    server = subprocess.Popen(command, cwd=PROJECT)
    base = f"http://localhost:{port}"
    try:
        for _attempt in range(300):
            try:
                urlopen(f"{base}/healthz/", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        server.terminate()
        server.wait()


def customer_addresses() -> list[str]:
    """Return the entrance of a customer who has much to see, with the link that stands in his mails."""
    from django.urls import reverse

    from common.tokens import make_token
    from customers.models import Customer

    customer = Customer.objects.filter(vouchers__state="issued").order_by("pk").first()
    if not customer:
        return []
    token = make_token("mijnmenu", [customer.pk, customer.link_version])
    return [reverse("mijnmenu:enter", args=[token])]


def walk(browser: Browser, base: str, role: str, entrances: list[str], user: object) -> None:
    """Photograph every address pattern that can be reached from the entrances by links."""
    from django.urls import Resolver404, resolve

    context = browser.new_context(base_url=base, locale="nl-NL", timezone_id="Europe/Amsterdam")
    if user:
        sign_in(context, base, user)
    page = context.new_page()
    page.on("console", lambda line: print(f"   console: {line.text}") if line.type == "error" else None)
    seen: set[str] = set()
    waiting = list(entrances)
    while waiting:
        path = waiting.pop(0)
        try:
            name = resolve(urlsplit(path).path).view_name
        except Resolver404:
            print(f"{role}: {path} leads nowhere")
            continue
        if name in seen or path.startswith(NOT_PAGES):
            continue
        seen.add(name)
        if photograph(page, path, f"{role}-{name.replace(':', '-')}"):
            waiting += links_of(page, base)
    context.close()


def show_in_readme(browser: Browser, base: str) -> None:
    """Photograph what the README shows, as an administrator sees it, one screen high."""
    from django.contrib.auth.models import User
    from django.db.models import Count

    from common.roles import ADMINISTRATOR
    from customers.models import Customer
    from mailings.models import Mailing

    context = browser.new_context(base_url=base, locale="nl-NL", timezone_id="Europe/Amsterdam")
    sign_in(context, base, User.objects.filter(groups__name=ADMINISTRATOR, is_active=True).order_by("pk").first())
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 1000})
    customer = Customer.objects.annotate(many=Count("facts")).order_by("-many", "pk")[0]
    mailing = Mailing.objects.annotate(many=Count("messages")).order_by("-many", "pk")[0]
    shown = {"dashboard": "/", "customer": f"/customers/{customer.pk}/", "mailing": f"/mailings/{mailing.pk}/"}
    for name, path in shown.items():
        page.goto(path, wait_until="load")
        page.wait_for_selector(".htmx-request", state="detached")
        page.screenshot(path=README / f"{name}.png")
    context.close()


def take_in_a_voucher(browser: Browser, base: str, user: object) -> None:
    """Photograph what the counter sees of a voucher: looked up, taken in, refused the second time, and unknown."""
    from vouchers.models import Voucher

    code = Voucher.objects.filter(state="issued", uses=0).order_by("pk").values_list("code", flat=True).first()
    if not code:
        return
    context = browser.new_context(base_url=base, locale="nl-NL", timezone_id="Europe/Amsterdam")
    sign_in(context, base, user)
    page = context.new_page()

    def look_up(text: str, picture: str) -> None:
        page.goto("/balie/")
        page.locator("#id_code").fill(text)
        page.locator("#id_code").press("Enter")
        page.wait_for_selector("[data-outcome]")
        shoot(page, f"counter-{picture}")

    look_up(code, "offer")
    amount = page.locator("#id_order_amount")
    if amount.count():
        amount.fill("20,00")
    page.locator("main button[type=submit], main form button").first.click()
    page.wait_for_selector("[data-outcome]:not([data-outcome=offer])")
    shoot(page, "counter-taken-in")
    look_up(code, "used")
    look_up("ABCD-EFGH-JKLM", "unknown")
    context.close()


def sign_in(context: BrowserContext, base: str, user: object) -> None:
    from django.conf import settings
    from django.test import Client

    from counter.views import BRANCH
    from customers.models import Branch

    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
    session = client.session
    session[BRANCH] = Branch.objects.values_list("code", flat=True).first()  # a counter that stands somewhere
    session.save()
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": base}])


def photograph(page: Page, path: str, name: str) -> bool:
    """Take both pictures; say whether it was a page at all."""
    try:
        response = page.goto(path, wait_until="load")
    except Exception as error:  # noqa: BLE001 -- a download ends the navigation with a bare Error
        print(f"{name}: {path} is no page ({str(error).splitlines()[0]})")
        return False
    if not response or "text/html" not in response.headers.get("content-type", ""):
        return False
    if response.status != 200:
        print(f"{name}: {path} answers {response.status}")
        return False
    shoot(page, name)
    return True


def shoot(page: Page, name: str) -> None:
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_selector(".htmx-request", state="detached")  # what comes later
        page.screenshot(path=TARGET / f"{name}-{width}.png", full_page=True)
        excess = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if excess > 0:
            print(f"{name}: {excess} pixels too wide at {width}")


def links_of(page: Page, base: str) -> list[str]:
    hrefs: list[str] = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    return [href.removeprefix(base).partition("#")[0] for href in hrefs if href.startswith(f"{base}/")]


if __name__ == "__main__":
    sys.exit(main())
