"""An integration: an administrator gives it a token in the workbench, and with that it works for a day at the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import APIRequestContext, Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from customers.models import Customer
from tests.factories import BranchFactory
from vouchers.actions import activate, define_voucher
from vouchers.models import Definition, Redemption

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = {
    "kind": "member",
    "first_name": "Sanne",
    "last_name": "de Boer",
    "email": "sanne@example.nl",
    "branch": "edam",
}


@pytest.fixture
def definition(now: dt.datetime) -> Definition:
    BranchFactory(code="edam", name="Edam")
    made = define_voucher(
        name="Theaterkorting", benefit="fixed", amount_cents=500, product="theaterkaart", holder="customer",
        valid_days=30, by=None, now=now,
    )  # fmt: skip
    return activate(made)


@pytest.fixture
def connect(browser: Browser, live_server: LiveServer) -> Iterator[Callable[[str], APIRequestContext]]:
    """Another system with this token, which knows nothing of who is signed in."""
    opened: list[BrowserContext] = []

    def connect(token: str) -> APIRequestContext:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        opened.append(browser.new_context(base_url=live_server.url, extra_http_headers=headers))
        return opened[-1].request

    yield connect
    for context in opened:
        context.close()


def test_an_integration_gets_a_token_and_works_with_it_until_it_is_withdrawn(
    page: Page,
    axe: Callable[[], None],
    administrator: User,
    definition: Definition,
    now: dt.datetime,
    sign_in: Callable[[User], None],
    connect: Callable[[str], APIRequestContext],
) -> None:
    # In the workbench: a name, and a token that is shown once and copied.
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(administrator)
    page.goto("/integrations/")
    axe()
    page.get_by_role("link", name="Koppeling toevoegen").click()
    page.get_by_label("Naam").fill("theaterkassa")
    axe()
    page.get_by_role("button", name="Toevoegen en token tonen").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Token")
    axe()
    page.get_by_role("button", name="Kopiëren").first.click()
    expect(page.get_by_text("Gekopieerd")).to_be_visible()
    token = page.evaluate("navigator.clipboard.readText()")
    page.reload()  # asks for the name again at most: the token is gone
    expect(page.get_by_text(token)).to_have_count(0)

    # Outside: a customer, put twice; what he bought; and his voucher.
    desk = connect(token)
    first, again = desk.put("/api/v1/customers/K-1/", data=PERSON), desk.put("/api/v1/customers/K-1/", data=PERSON)
    assert (first.status, again.status) == (201, 200), first.text()
    assert str(Customer.objects.get(number="K-1")) == "Sanne de Boer"

    bought = {
        "customer": "K-1", "kind": "ticket", "occurred_at": now.isoformat(), "source": "theatre",
        "external_id": "kaart-1", "branch": "edam", "amount_cents": 2400,
    }  # fmt: skip
    assert desk.post("/api/v1/facts/", data=[bought]).json() == {"new": 1, "changed": 0, "known": 0}
    assert desk.post("/api/v1/facts/", data=[bought]).json() == {"new": 0, "changed": 0, "known": 1}
    assert desk.get("/api/v1/customers/K-1/facts/").json()["results"][0]["amount_cents"] == 2400

    issued = desk.post(
        f"/api/v1/voucher-definitions/{definition.pk}/issue/", data={"customer": "K-1", "occasion": "opening"}
    )
    redeem = f"/api/v1/vouchers/{issued.json()['code']}/redeem/"
    sale = {"branch": "edam", "customer_number": "K-1", "order_cents": 2400}
    taken = desk.post(redeem, data=sale, headers={"Idempotency-Key": "verkoop-0001"})
    assert (taken.status, taken.json()["discount_cents"]) == (200, 500), taken.text()
    refused = desk.post(redeem, data=sale, headers={"Idempotency-Key": "verkoop-0002"})
    assert (refused.status, refused.json()["code"]) == (409, "used")
    assert Redemption.objects.get().channel == "api"

    # The token is withdrawn: the next request is turned away.
    page.goto("/integrations/")
    expect(page.get_by_role("row", name=token[:8])).to_be_visible()
    axe()
    page.get_by_role("button", name="Intrekken").click()
    page.locator("[data-confirm-yes]").click()
    expect(page.get_by_text("Het token werkt niet meer.")).to_be_visible()
    assert desk.get("/api/v1/customers/K-1/").status == 401
    assert connect("verzonnen").get("/api/v1/customers/K-1/").status == 401


def test_the_description_of_the_api_is_read_without_another_host(
    page: Page, administrator: User, sign_in: Callable[[User], None]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(administrator)
    page.goto("/api/v1/docs/")
    expect(page.locator("#operations-actions-actions_list")).to_be_visible()
    redeem = page.locator("#operations-vouchers-vouchers_redeem_create")
    page.mouse.move(640, 400)
    for _turn in range(200):  # of a long description only what is on the screen is there
        if redeem.is_visible():
            break
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(50)
    expect(redeem).to_be_visible()
    expect(page.get_by_role("heading", name="Beschrijving van de API", level=1)).to_be_visible()
    host = page.evaluate("location.origin")
    assert [url for url in asked if not url.startswith((host, "data:", "blob:"))] == []
    assert f"{host}/api/v1/schema/" in "".join(asked)
    result = Axe().run(page, context={"exclude": [["#swagger-ui"]]})
    assert result.violations_count == 0, result.generate_report()
