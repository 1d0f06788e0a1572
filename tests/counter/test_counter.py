from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.time import clock
from customers.models import Branch
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, SourceFactory, VoucherFactory
from vouchers import codes
from vouchers.models import Attempt, Redemption, Reversal, Voucher

pytestmark = pytest.mark.django_db


@pytest.fixture
def branch() -> Branch:
    made: Branch = BranchFactory(code="purmerend", name="Purmerend")
    return made


@pytest.fixture
def counter(counter_staff: User, branch: Branch, client_of: Callable[[User], Client]) -> Client:
    """A counter in Purmerend, ready to scan."""
    SourceFactory(code="vouchers")
    client = client_of(counter_staff)
    client.post("/balie/vestiging/", {"branch": branch.code})
    return client


def voucher_of(**fields: Any) -> Voucher:
    customer = CustomerFactory(number="200001", first_name="Sanne", last_name="de Boer")
    made: Voucher = VoucherFactory(definition=DefinitionFactory(**fields), customer=customer)
    return made


def outcome(page: Any) -> tuple[str, str]:
    found = re.search(r'data-outcome="(\w+)"(?: data-reason="(\w+)")?', page.content.decode())
    return (found[1], found[2] or "") if found else ("", "")


def key_of(page: Any) -> str:
    found = re.search(r'name="idempotency_key" value="(\w+)"', page.content.decode())
    assert found
    return found[1]


def test_the_branch_is_asked_first_and_remembered(
    counter_staff: User, branch: Branch, client_of: Callable[[User], Client]
) -> None:
    client = client_of(counter_staff)
    assert client.get("/balie/").headers["Location"] == "/balie/vestiging/"
    assert client.post("/balie/", {"code": "X"}).headers["Location"] == "/balie/vestiging/"
    assert client.post("/balie/vestiging/", {"branch": "bestaat-niet"}).status_code == 422
    assert client.post("/balie/vestiging/", {"branch": branch.code}).headers["Location"] == "/balie/"
    page = client.get("/balie/").content.decode()
    assert "Purmerend" in page
    assert "autofocus" in page


def test_step_one_shows_worth_holder_and_conditions_and_takes_nothing_in(counter: Client) -> None:
    voucher = voucher_of(conditions="Niet op zondag", valid_until=None)
    page = counter.post("/balie/", {"code": codes.group(voucher.code).lower()})
    text = page.content.decode()
    assert outcome(page) == ("offer", "")
    for words in ("25% korting", "Sanne de Boer", "200001", "Niet op zondag", voucher.grouped_code):
        assert words in text
    assert not Redemption.objects.exists()


def test_step_two_takes_in_and_shows_what_is_left_to_pay(counter: Client, counter_staff: User, branch: Branch) -> None:
    voucher = voucher_of()
    key = key_of(counter.post("/balie/", {"code": voucher.code}))
    sent = {"code": voucher.code, "confirm": "1", "order_amount": "12,50", "idempotency_key": key}
    done = counter.post("/balie/", sent)
    redemption = Redemption.objects.get()
    assert (redemption.discount_cents, redemption.branch, redemption.staff) == (313, branch, counter_staff)
    assert done.headers["Location"] == f"/balie/bonnetje/{redemption.pk}/"
    receipt = counter.get(done.headers["Location"])
    assert outcome(receipt) == ("redeemed", "")
    assert "€\xa03,13 korting" in receipt.content.decode()
    assert "€\xa09,37" in receipt.content.decode()


def test_pressing_twice_takes_in_once(counter: Client) -> None:
    voucher = voucher_of()
    sent = {"code": voucher.code, "confirm": "1", "order_amount": "12,50", "idempotency_key": "k1"}
    first, second = counter.post("/balie/", sent), counter.post("/balie/", sent)
    assert first.headers["Location"] == second.headers["Location"]
    assert Redemption.objects.count() == 1
    assert not Attempt.objects.exists()


def test_a_second_time_is_refused_with_words_to_read_out(counter: Client) -> None:
    voucher = voucher_of(benefit="free_product")
    counter.post("/balie/", {"code": voucher.code, "confirm": "1"})
    for sent in ({"code": voucher.code}, {"code": voucher.code, "confirm": "1"}):
        page = counter.post("/balie/", sent)
        assert (page.status_code, *outcome(page)) == (409, "refused", "used")
        assert "Deze bon is al gebruikt, het laatst op" in page.content.decode()
        assert "Purmerend" in page.content.decode()
    assert Redemption.objects.count() == 1
    assert Attempt.objects.filter(reason="used", channel="counter").count() == 2


def test_an_unknown_code_is_refused_and_recorded_with_the_branch(counter: Client, branch: Branch) -> None:
    page = counter.post("/balie/", {"code": "ABCD-2345-EFG6"})
    assert (page.status_code, *outcome(page)) == (409, "refused", "unknown")
    assert Attempt.objects.get().branch == branch


def test_an_expired_voucher_and_one_of_somebody_else_are_refused(counter: Client) -> None:
    expired = VoucherFactory(valid_until=dt.date(2026, 6, 13))
    assert outcome(counter.post("/balie/", {"code": expired.code})) == ("refused", "expired")
    CustomerFactory(number="999999")
    sent = {"code": voucher_of().code, "customer_number": "999999"}
    assert outcome(counter.post("/balie/", sent)) == ("refused", "other_customer")


def test_the_card_that_was_scanned_stays_with_the_request(counter: Client) -> None:
    voucher = voucher_of(benefit="free_product")
    page = counter.post("/balie/", {"code": voucher.code, "customer_number": "200001"})
    assert 'name="customer_number" value="200001"' in page.content.decode()
    counter.post("/balie/", {"code": voucher.code, "customer_number": "200001", "confirm": "1"})
    assert Redemption.objects.get().customer == voucher.customer


@pytest.mark.parametrize("amount", ["", "veel", "-5", "99999999999"])
def test_an_amount_that_is_missing_or_no_amount_is_asked_again(counter: Client, amount: str) -> None:
    voucher = voucher_of()
    sent = {"code": voucher.code, "confirm": "1", "order_amount": amount, "idempotency_key": "k1"}
    page = counter.post("/balie/", sent)
    assert (page.status_code, *outcome(page)) == (422, "offer", "")
    assert "field-error" in page.content.decode()
    assert key_of(page) == "k1"
    assert not Redemption.objects.exists()
    assert counter.post("/balie/", {**sent, "order_amount": "€ 8"}).status_code == 302


def test_an_empty_scan_is_asked_again(counter: Client) -> None:
    assert counter.post("/balie/", {"code": "  "}).status_code == 422
    assert counter.post("/balie/", {"code": "", "confirm": "1"}).status_code == 422
    assert counter.post("/balie/", {"code": "A\x00B"}).status_code == 422
    assert not Attempt.objects.exists()


def test_a_free_product_asks_no_amount_and_the_button_has_the_focus(counter: Client) -> None:
    page = counter.post("/balie/", {"code": voucher_of(benefit="free_product").code}).content.decode()
    assert "order_amount" not in page
    assert re.search(r"<button[^>]*autofocus", page)


def test_the_last_ten_of_today_at_this_branch_are_listed(counter: Client, branch: Branch) -> None:
    made = [_redemption(f"k{number}", branch=branch, redeemed_at=clock()) for number in range(11)]
    yesterday = _redemption("oud", branch=branch, redeemed_at=clock() - dt.timedelta(days=1, hours=1))
    elsewhere = _redemption("ver", branch=BranchFactory(), redeemed_at=clock())
    page = counter.get("/balie/").content.decode()
    shown = [one for one in [*made, yesterday, elsewhere] if one.voucher.grouped_code in page]
    assert shown == made[1:]


def test_the_page_takes_the_same_queries_for_one_and_for_ten(
    counter: Client, branch: Branch, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        _redemption(f"k{number}", branch=branch, redeemed_at=clock())
    with django_assert_max_num_queries(8):
        counter.get("/balie/")


def _redemption(key: str, **fields: Any) -> Redemption:
    return Redemption.objects.create(
        voucher=VoucherFactory(origin=key), channel="counter", idempotency_key=key, fingerprint="x", **fields
    )


def test_counter_staff_cannot_take_back_but_are_told_who_can(counter: Client, branch: Branch) -> None:
    redemption = _redemption("k", branch=branch, redeemed_at=clock())
    for answer in (
        counter.get(f"/balie/terugdraaien/{redemption.pk}/"),
        counter.post(f"/balie/terugdraaien/{redemption.pk}/", {"reason": "x"}),
    ):
        assert answer.status_code == 403
    assert "beheerder kan een bon terugdraaien" in counter.get("/balie/").content.decode()
    assert not Reversal.objects.exists()


def test_who_may_reverse_does_so_with_a_reason_once(
    administrator: User, branch: Branch, client_of: Callable[[User], Client], counter: Client
) -> None:
    client = client_of(administrator)
    client.post("/balie/vestiging/", {"branch": branch.code})
    voucher = voucher_of(benefit="free_product")
    client.post("/balie/", {"code": voucher.code, "confirm": "1"})
    url = f"/balie/terugdraaien/{Redemption.objects.get().pk}/"
    assert url in client.get("/balie/").content.decode()
    assert client.get(url).status_code == 200
    assert not Reversal.objects.exists()
    assert client.post(url, {"reason": ""}).status_code == 422
    assert client.post(url, {"reason": "verkeerde bon"}).headers["Location"] == "/balie/"
    assert Reversal.objects.get().reason == "verkeerde bon"
    assert client.post(url, {"reason": "nog eens"}).status_code == 409
    assert "Teruggedraaid" in client.get("/balie/").content.decode()
    receipt = client.get(f"/balie/bonnetje/{Redemption.objects.get().pk}/")
    assert outcome(receipt) == ("", "")


@pytest.mark.parametrize(
    ("role", "may_redeem", "may_reverse"),
    [
        ("counter", True, False),
        ("administrator", True, True),
        ("marketeer", False, False),
        ("integrator", False, False),
    ],
)
def test_who_may_do_what(
    role: str,
    may_redeem: bool,
    may_reverse: bool,
    make_user: Callable[..., User],
    client_of: Callable[[User], Client],
    branch: Branch,
) -> None:
    redemption = _redemption("k", branch=branch, redeemed_at=clock())
    client = client_of(make_user(role))
    for url in ("/balie/", "/balie/vestiging/", f"/balie/bonnetje/{redemption.pk}/"):
        assert (client.get(url).status_code != 403) == may_redeem
    assert (client.post("/balie/", {"code": "X"}).status_code != 403) == may_redeem
    assert (client.get(f"/balie/terugdraaien/{redemption.pk}/").status_code != 403) == may_reverse


def test_strangers_are_sent_to_sign_in(client: Client) -> None:
    for url in ("/balie/", "/balie/vestiging/", "/balie/bonnetje/1/", "/balie/terugdraaien/1/"):
        assert client.get(url).headers["Location"].startswith("/accounts/login/")


def test_without_a_csrf_token_nothing_is_taken_in(counter_staff: User, branch: Branch) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(counter_staff, backend="django.contrib.auth.backends.ModelBackend")
    voucher = voucher_of(benefit="free_product")
    assert client.post("/balie/", {"code": voucher.code, "confirm": "1"}).status_code == 403
    assert not Redemption.objects.exists()
