from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.crypto import get_random_string

from common.errors import Refused
from common.time import clock
from customers.actions import ensure_base_data
from customers.models import Customer
from selections.actions import create_selection
from selections.models import Selection
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, SourceFactory, VoucherFactory
from vouchers.actions import block_voucher, issue_vouchers, redeem, reverse_redemption
from vouchers.letters import MOST_ON_PAPER
from vouchers.models import Definition, Voucher

pytestmark = pytest.mark.django_db

FORM = {
    "name": "Verjaardagsbon", "benefit": "percent", "percent": "25", "holder": "customer", "uses_per_code": "1",
    "valid_days": "30",
}  # fmt: skip


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    ensure_base_data()
    return client_of(marketeer)


@pytest.fixture
def definition() -> Definition:
    made: Definition = DefinitionFactory(name="Kop koffie")
    return made


@pytest.fixture
def everybody(marketeer: User) -> Selection:
    rule = {"version": 2, "op": "all", "children": []}
    return create_selection(name="Iedereen", rule=rule, by=marketeer, now=clock())


def text(page: Any) -> str:
    return str(page.content.decode())


# --- definitions ---


def test_a_voucher_is_made_as_a_draft_and_activated(desk: Client) -> None:
    branch = BranchFactory()
    made = desk.post("/vouchers/add/", {**FORM, "branches": [branch.pk], "conditions": "Eén per dag"})
    definition = Definition.objects.get()
    assert made.headers["Location"] == f"/vouchers/{definition.pk}/"
    assert (definition.state, definition.percent, definition.valid_days, definition.kind) == (
        "draft",
        25,
        30,
        "discount",
    )
    assert list(definition.branches.all()) == [branch]
    desk.post(f"/vouchers/{definition.pk}/activate/")
    definition.refresh_from_db()
    assert definition.state == "active"


def test_amounts_are_typed_in_euros(desk: Client) -> None:
    desk.post("/vouchers/add/", {**FORM, "benefit": "fixed", "amount_cents": "2,50"})
    definition = Definition.objects.get()
    assert definition.amount_cents == 250
    assert 'value="2,50"' in text(desk.get(f"/vouchers/{definition.pk}/change/"))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"percent": ""}, "percent"),
        ({"percent": "101"}, "percent"),
        ({"benefit": "fixed"}, "amount_cents"),
        ({"benefit": "fixed", "amount_cents": "veel"}, "amount_cents"),
        ({"benefit": "free_product"}, "product"),
        ({"valid_from": "2026-07-02", "valid_until": "2026-07-01"}, "valid_until"),
        ({"name": "Kop koffie"}, "name"),
        ({"uses_per_code": "0"}, "uses_per_code"),
    ],
)
def test_a_faulty_form_comes_back_with_the_field_and_what_was_typed(
    desk: Client, definition: Definition, changes: dict[str, str], field: str
) -> None:
    page = desk.post("/vouchers/add/", {**FORM, "conditions": "Bewaar mij", **changes})
    assert page.status_code == 422
    assert f'id="id_{field}_error"' in text(page)
    assert "Bewaar mij" in text(page)
    assert Definition.objects.count() == 1


def test_the_form_shows_an_example_that_follows_what_is_typed(desk: Client) -> None:
    assert "25% korting" in text(desk.get("/vouchers/add/"))
    sent = {"benefit": "set_price", "amount_cents": "7,50", "product": "Theaterkaart", "name": "Avondje uit"}
    page = text(desk.get("/vouchers/example/", sent))
    assert "Theaterkaart voor €\xa07,50" in page
    assert "Avondje uit" in page
    assert "Van €\xa012,50 betaalt de klant €\xa07,50" in page
    assert "Vul in wat de klant krijgt" in text(desk.get("/vouchers/example/", {"benefit": "fixed"}))
    assert not Definition.objects.exists()


def test_after_the_first_issue_the_benefit_cannot_be_changed_and_the_rest_can(
    desk: Client, definition: Definition
) -> None:
    VoucherFactory(definition=definition)
    url = f"/vouchers/{definition.pk}/change/"
    page = text(desk.get(url))
    assert "Het voordeel ligt vast" in page
    assert re.search(r'name="percent"[^>]*disabled', page)
    desk.post(url, {**FORM, "name": "Kop thee", "percent": "99"})
    definition.refresh_from_db()
    assert (definition.name, definition.percent) == ("Kop thee", 25)


def test_the_list_shows_what_came_of_each_voucher(desk: Client, definition: Definition, marketeer: User) -> None:
    _redeemed(definition, marketeer, order_cents=2000)
    page = text(desk.get("/vouchers/"))
    assert "Kop koffie" in page
    assert "25% korting" in page
    assert "€\xa05,00" in page
    assert "Kop koffie" not in text(desk.get("/vouchers/?q=thee"))
    assert "Kop koffie" not in text(desk.get("/vouchers/?state=closed"))


def test_the_list_takes_as_many_queries_for_many_vouchers(desk: Client, django_assert_max_num_queries: Any) -> None:
    DefinitionFactory.create_batch(20)
    with django_assert_max_num_queries(12):
        desk.get("/vouchers/")


def _redeemed(definition: Definition, staff: User, *, order_cents: int = 1000, **place: Any) -> Any:
    voucher = VoucherFactory(definition=definition, origin=get_random_string(8))
    asked = {"branch": None, "staff": staff, "channel": "counter", "now": clock(), **place}
    return redeem(voucher.code, order_cents=order_cents, idempotency_key=get_random_string(12), **asked)


def test_the_report_shows_branches_refusals_and_history(desk: Client, definition: Definition, marketeer: User) -> None:
    redemption = _redeemed(definition, marketeer, branch=BranchFactory(name="Edam"))
    _redeemed(definition, marketeer)
    with pytest.raises(Refused):
        redeem(
            redemption.voucher.code, branch=None, staff=marketeer, channel="counter", order_cents=1,
            idempotency_key="x", now=clock(),
        )  # fmt: skip
    desk.post(f"/vouchers/{definition.pk}/pause/")
    page = text(desk.get(f"/vouchers/{definition.pk}/"))
    for words in ("Edam", "Online", "Al gebruikt", "Binnen een dag", "Ingenomen per week", "Actief → Gepauzeerd"):
        assert words in page


def test_states_are_changed_by_post_only(desk: Client, definition: Definition) -> None:
    for name in ("activate", "pause", "close"):
        assert desk.get(f"/vouchers/{definition.pk}/{name}/").status_code == 405
    desk.post(f"/vouchers/{definition.pk}/close/")
    desk.post(f"/vouchers/{definition.pk}/activate/")
    definition.refresh_from_db()
    assert definition.state == "closed"
    assert "wijzigen" not in text(desk.get(f"/vouchers/{definition.pk}/")).lower().split("<main", 1)[1]


# --- giving out ---


def issue_form(page: Any) -> dict[str, str]:
    """The hidden form of the confirmation, as a browser sends it."""
    form = text(page).split("data-confirm=", 1)[1]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_one_customer_gets_one_after_confirmation(desk: Client, definition: Definition) -> None:
    customer = CustomerFactory(number="777", first_name="Anouk")
    url = f"/vouchers/{definition.pk}/issue/"
    key = re.search(r'name="key" value="(\w+)"', text(desk.get(url)))
    assert key
    page = desk.get(url, {"to": "customer", "number": "777", "key": key[1]})
    assert "Anouk" in text(page)
    assert not Voucher.objects.exists()
    sent = {name: value for name, value in issue_form(page).items() if name != "csrfmiddlewaretoken"}
    assert sent["key"] == key[1]
    for _time in range(2):
        answer = desk.post(url, sent)
    voucher = Voucher.objects.get()
    assert (voucher.customer, voucher.origin) == (customer, f"by hand:{key[1]}")
    assert answer.headers["Location"] == f"/vouchers/{definition.pk}/codes/?issue={key[1]}"
    assert voucher.grouped_code in text(desk.get(answer.headers["Location"]))


def test_everybody_in_a_selection_gets_one(desk: Client, definition: Definition, everybody: Selection) -> None:
    CustomerFactory.create_batch(3)
    url = f"/vouchers/{definition.pk}/issue/"
    sent = {"to": "selection", "selection": everybody.pk, "key": "abcdefgh"}
    assert "Er worden 3 bonnen uitgegeven" in text(desk.get(url, sent))
    assert not Voucher.objects.exists()
    desk.post(url, sent)
    assert Voucher.objects.filter(origin="by hand:abcdefgh").count() == 3


def test_codes_without_a_name_are_printed(desk: Client) -> None:
    definition = DefinitionFactory(holder="anyone")
    sent = {"to": "nobody", "count": "8", "key": "abcdefgh"}
    answer = desk.post(f"/vouchers/{definition.pk}/issue/", sent)
    assert "/codes/abcdefgh/pdf/" in text(desk.get(answer.headers["Location"]))
    pdf = desk.get(f"/vouchers/{definition.pk}/codes/abcdefgh/pdf/")
    pages = pypdf.PdfReader(io.BytesIO(pdf.content)).pages
    printed = "".join(page.extract_text() for page in pages)
    assert all(voucher.grouped_code in printed for voucher in Voucher.objects.all())


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"to": "customer"}, "number"),
        ({"to": "customer", "number": "bestaat niet"}, "number"),
        ({"to": "selection"}, "selection"),
        ({"to": "nobody", "count": "3"}, "to"),
        ({}, "to"),
    ],
)
def test_a_faulty_choice_is_asked_again(desk: Client, definition: Definition, sent: dict[str, str], field: str) -> None:
    page = desk.post(f"/vouchers/{definition.pk}/issue/", {"key": "abcdefgh", **sent})
    assert page.status_code == 422
    assert f'id="id_{field}_error"' in text(page)
    assert not Voucher.objects.exists()


def test_a_refusal_of_giving_out_is_told(desk: Client, everybody: Selection) -> None:
    CustomerFactory.create_batch(3)
    definition = DefinitionFactory(limit_issued=2)
    sent = {"to": "selection", "selection": everybody.pk, "key": "abcdefgh"}
    page = desk.post(f"/vouchers/{definition.pk}/issue/", sent)
    assert page.status_code == 422
    assert "mogen er nog 2 worden uitgegeven" in text(page)


# --- codes ---


def test_codes_are_found_and_narrowed(desk: Client, definition: Definition) -> None:
    wanted = VoucherFactory(definition=definition, customer=CustomerFactory(number="7777777"))
    others = [
        VoucherFactory(definition=definition, uses=1, state="redeemed"),
        VoucherFactory(definition=definition, valid_until=dt.date(2026, 6, 14)),
        block_voucher(VoucherFactory(definition=definition), reason="x", by=None, now=clock()),
    ]
    elsewhere = VoucherFactory()
    url = f"/vouchers/{definition.pk}/codes/"

    def shown(query: str) -> set[str]:
        page = text(desk.get(url + query))
        return {v.code for v in [wanted, *others, elsewhere] if v.grouped_code in page}

    assert shown("") == {wanted.code, *(voucher.code for voucher in others)}
    assert shown(f"?q={wanted.grouped_code.lower()}") == shown("?q=7777777") == shown("?state=open") == {wanted.code}
    for voucher, state in zip(others, ("redeemed", "expired", "blocked"), strict=True):
        assert shown(f"?state={state}") == {voucher.code}


def test_a_code_shows_what_happened_to_it(desk: Client, definition: Definition, marketeer: User) -> None:
    redemption = _redeemed(definition, marketeer, branch=BranchFactory(name="Edam"))
    reverse_redemption(redemption, reason="verkeerde klant", staff=marketeer, now=clock())
    page = text(desk.get(f"/vouchers/codes/{redemption.voucher_id}/"))
    for words in ("Edam", "verkeerde klant", redemption.voucher.grouped_code):
        assert words in page


@pytest.mark.parametrize(
    ("origin", "words"),
    [("mailing:12", "Mailing 12"), ("by hand:abcdefgh", "Met de hand"), ("api:kassa", "API: kassa")],
)
def test_a_code_tells_through_what_it_was_given(desk: Client, origin: str, words: str) -> None:
    voucher = VoucherFactory(origin=origin)
    assert words in text(desk.get(f"/vouchers/codes/{voucher.pk}/"))


def test_a_code_is_blocked_with_a_reason(desk: Client, marketeer: User) -> None:
    voucher = VoucherFactory()
    url = f"/vouchers/codes/{voucher.pk}/block/"
    assert desk.get(url).status_code == 200
    assert desk.post(url, {"reason": ""}).status_code == 422
    assert Voucher.objects.get().state == "issued"
    desk.post(url, {"reason": "dubbel verstuurd"})
    voucher.refresh_from_db()
    assert (voucher.state, voucher.blocked_by) == ("blocked", marketeer)
    assert "dubbel verstuurd" in text(desk.get(f"/vouchers/codes/{voucher.pk}/"))


def test_a_code_is_printed(desk: Client) -> None:
    voucher = VoucherFactory()
    pdf = desk.get(f"/vouchers/codes/{voucher.pk}/pdf/")
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert voucher.grouped_code in pypdf.PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()


def test_more_than_fits_in_one_pdf_is_refused(desk: Client, definition: Definition) -> None:
    Customer.objects.bulk_create(CustomerFactory.build_batch(MOST_ON_PAPER + 1, source=SourceFactory()))
    issue_vouchers(definition, Customer.objects.all(), origin="by hand:abcdefgh", now=clock())
    answer = desk.get(f"/vouchers/{definition.pk}/codes/abcdefgh/pdf/", follow=True)
    assert "te veel voor één pdf" in text(answer)


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_other_roles_are_kept_out(
    role: str, make_user: Callable[..., User], client_of: Callable[[User], Client], definition: Definition
) -> None:
    client = client_of(make_user(role))
    voucher = VoucherFactory(definition=definition)
    key = definition.pk
    pages = [
        "",
        "add/",
        "example/",
        f"{key}/",
        f"{key}/change/",
        f"{key}/issue/",
        f"{key}/codes/",
        f"{key}/codes/x/pdf/",
    ]
    for page in [*pages, *(f"codes/{voucher.pk}/{part}" for part in ("", "block/", "pdf/"))]:
        assert client.get(f"/vouchers/{page}").status_code == 403
    for page in (f"{key}/activate/", f"{key}/pause/", f"{key}/close/", f"{key}/issue/", f"codes/{voucher.pk}/block/"):
        assert client.post(f"/vouchers/{page}").status_code == 403
