import datetime as dt
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pypdf import PdfReader
from rest_framework.test import APIClient

from common.actions import add_integration
from common.errors import Refused
from customers.actions import change_customer
from customers.actions.addresses import record_post_news
from customers.models import Customer, CustomerChange
from mailings.actions import print_letters, record_return, reprint, undo_batch, undo_return
from mailings.letter_codes import letter_code
from mailings.models import Decision, LetterBatch, Mailing, PostReturn, PrintedLetter
from mailings.piles import addresses_of, places_of
from mailings.retention import retention_rules
from tests.factories import CustomerFactory, HouseholdFactory

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def pair(now: dt.datetime) -> list[Customer]:
    """Two who live together."""
    home = {"email": "", "postal_code": "1111AA", "house_number": "3", "household": HouseholdFactory()}
    return [CustomerFactory(**home), CustomerFactory(**home)]


@pytest.fixture
def batch(start: Start, pair: list[Customer], now: dt.datetime) -> LetterBatch:
    return print_letters(start(channels="letter", letters_to="names"), now=now)


def states() -> set[str]:
    return set(Customer.objects.values_list("address_state", flat=True))


def test_a_letter_that_comes_back_is_noted_for_all_who_share_it(
    batch: LetterBatch, pair: list[Customer], marketeer: User, now: dt.datetime
) -> None:
    later = now + dt.timedelta(days=9)
    noted = record_return(letter_code(batch.pk, 1).lower(), reason="unknown", by=marketeer, now=later)
    assert {one.customer_id for one in noted} == {one.pk for one in pair}
    assert {one.message.mailing_id for one in noted} == {batch.mailing_id}
    assert states() == {"returned"}
    changes = CustomerChange.objects.filter(changed_at=later)
    assert {(str(one.fields), one.user_id) for one in changes} == {
        ("{'address_state': ['', 'returned']}", marketeer.pk)
    }


@pytest.mark.django_db(transaction=True)
def test_a_scanner_that_sends_a_code_twice_at_once_notes_it_once(batch: LetterBatch, now: dt.datetime) -> None:
    ready = threading.Barrier(2)

    def scan() -> str:
        try:
            ready.wait(timeout=60)
            record_return(letter_code(batch.pk, 1), reason="unknown", now=now)
            return "noted"
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        told = [one.result(timeout=60) for one in [pool.submit(scan), pool.submit(scan)]]
    assert sorted(told) == ["noted", "wrong_state"]
    assert PostReturn.objects.count() == 2  # both who share the letter


def test_a_pile_of_which_a_letter_came_back_has_been_posted(batch: LetterBatch, now: dt.datetime) -> None:
    record_return(letter_code(batch.pk, 1), reason="moved", now=now)
    with pytest.raises(Refused) as refused:
        undo_batch(batch, now=now)
    assert refused.value.code == "wrong_state"
    assert states() == {"moved"}


def test_the_gate_says_so_until_the_address_changes(
    batch: LetterBatch, pair: list[Customer], start: Start, now: dt.datetime
) -> None:
    record_return(letter_code(batch.pk, 1), reason="refused", now=now)
    assert set(Decision.objects.filter(mailing=start(channels="letter")).values_list("outcome", "channel")) == {
        ("post_returned", "")
    }
    change_customer(pair[0], street="Nieuweweg", house_number="9", postal_code="1112BB", city="Edam", by=None, now=now)
    decided = start(channels="letter").decisions.values_list("customer", "outcome")
    assert dict(decided) == {pair[0].pk: "accepted", pair[1].pk: "post_returned"}


def test_a_letter_to_an_address_that_was_left_says_nothing_of_the_new_one(
    batch: LetterBatch, pair: list[Customer], now: dt.datetime
) -> None:
    change_customer(pair[0], street="Nieuweweg", house_number="9", postal_code="1112BB", city="Edam", by=None, now=now)
    noted = record_return(letter_code(batch.pk, 1), reason="moved", now=now)
    assert {one.customer_id: one.was_old_address for one in noted} == {pair[0].pk: True, pair[1].pk: False}
    assert dict(Customer.objects.values_list("pk", "address_state")) == {pair[0].pk: "", pair[1].pk: "moved"}


def test_the_letter_of_who_stayed_follows_nobody_who_left(
    batch: LetterBatch, pair: list[Customer], now: dt.datetime
) -> None:
    left, stayed = pair
    change_customer(left, street="Nieuweweg", house_number="9", postal_code="1112BB", city="Edam", by=None, now=now)
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(reprint(batch, now=now))).pages]
    moved, own = letter_code(batch.pk, 1, 1), letter_code(batch.pk, 1)
    assert sorted([moved in page, own in page, "Nieuweweg 9" in page] for page in pages) == [
        [False, True, False], [True, False, True],
    ]  # fmt: skip
    assert PrintedLetter.objects.get(message__customer=stayed).later_keys == {}
    assert len(addresses_of(batch, places_of(batch, now=now))) == 2
    assert [one.customer_id for one in record_return(moved, reason="unknown", now=now)] == [left.pk]
    assert Customer.objects.get(pk=stayed.pk).address_state == ""


def test_a_letter_printed_again_after_moving_is_judged_by_the_address_on_it(
    start: Start, pair: list[Customer], now: dt.datetime
) -> None:
    batch = print_letters(start(pair[0], channels="letter"), now=now)
    change_customer(pair[0], street="Nieuweweg", house_number="9", postal_code="1112BB", city="Edam", by=None, now=now)
    printed = "".join(page.extract_text() for page in PdfReader(io.BytesIO(reprint(batch, now=now))).pages)
    again = letter_code(batch.pk, 1, 1)
    assert again in printed
    assert "Nieuweweg 9" in printed
    [first] = record_return(letter_code(batch.pk, 1), reason="moved", now=now)  # the one to the old address
    assert first.was_old_address
    assert "moved" not in states()
    [second] = record_return(again, reason="unknown", now=now)
    assert (second.was_old_address, second.message) == (False, None)
    assert Customer.objects.get(pk=pair[0].pk).address_state == "returned"
    for code in (letter_code(batch.pk, 1), again):
        with pytest.raises(Refused):
            record_return(code, reason="unknown", now=now)
    with pytest.raises(Refused, match="is er niet meer"):
        record_return(letter_code(batch.pk, 1, 2), reason="unknown", now=now)


def test_one_letter_comes_back_once(batch: LetterBatch, now: dt.datetime) -> None:
    record_return(letter_code(batch.pk, 1), reason="moved", now=now)
    with pytest.raises(Refused) as refused:
        record_return(letter_code(batch.pk, 1), reason="unknown", now=now)
    assert refused.value.code == "wrong_state"
    assert PostReturn.objects.count() == 2
    assert states() == {"moved"}


def test_without_a_code_the_number_or_the_card_of_the_customer_does(now: dt.datetime) -> None:
    by_number, by_card = CustomerFactory(), CustomerFactory(card_number="29001122")
    [first] = record_return(f" {by_number.number} ", reason="other", now=now)
    [second] = record_return("29001122", reason="other", now=now)
    assert (first.customer, second.customer) == (by_number, by_card)
    assert first.message is None


def test_who_has_moved_away_has_not_come_back_by_another_letter(now: dt.datetime) -> None:
    customer = CustomerFactory(address_state="moved")
    [noted] = record_return(customer.number, reason="unknown", now=now)
    assert states() == {"moved"}
    undo_return(noted, now=now)
    assert states() == {"moved"}


@pytest.mark.parametrize("code", ["", "bestaat niet", "P999999-1-05", "\0", "P1-1-99"])
def test_what_is_nobodys_is_refused(code: str, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        record_return(code, reason="moved", now=now)
    assert (refused.value.code, refused.value.field) == ("unknown", "code")


def test_a_reason_has_to_be_one(batch: LetterBatch, now: dt.datetime) -> None:
    with pytest.raises(Refused) as refused:
        record_return(letter_code(batch.pk, 1), reason="zomaar", now=now)
    assert refused.value.field == "reason"


def test_a_slip_is_taken_back(batch: LetterBatch, pair: list[Customer], now: dt.datetime) -> None:
    first, second = record_return(letter_code(batch.pk, 1), reason="moved", now=now)
    undo_return(first, now=now)
    assert dict(Customer.objects.values_list("pk", "address_state")) == {pair[0].pk: "", pair[1].pk: "moved"}
    change_customer(pair[1], street="Nieuweweg", house_number="9", postal_code="1112BB", city="Edam", by=None, now=now)
    undo_return(second, now=now)
    assert states() == {""}
    assert not PostReturn.objects.exists()


def test_returns_are_kept_for_a_while(batch: LetterBatch, now: dt.datetime) -> None:
    record_return(letter_code(batch.pk, 1), reason="moved", now=now)
    rule = retention_rules["post_returns"]
    assert rule.count(now, now) == 0
    after = now + dt.timedelta(days=1)
    assert (rule.count(after, after), rule.apply(after, after)) == (2, 2)
    assert states() == {"moved"}


@pytest.fixture
def client(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def text(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def test_the_page_is_ready_for_the_next_letter_with_the_same_reason(client: Client, batch: LetterBatch) -> None:
    page = text(client.get("/returned-post/"))
    assert "autofocus" in page
    given = {"code": letter_code(batch.pk, 1), "reason": "refused"}
    answer = client.post("/returned-post/", given, follow=True)
    page = text(answer)
    assert answer.context["form"]["reason"].initial == "refused"
    assert answer.context["form"]["code"].initial is None
    assert page.count("/returned-post/") >= 2
    assert "Geweigerd" in page
    assert client.post("/returned-post/", given).status_code == 422
    assert f"/mailings/{batch.mailing_id}/" in page
    assert "Bij 2 lezers kwam de brief terug" in text(client.get(f"/mailings/{batch.mailing_id}/"))


def test_the_page_takes_a_slip_back(client: Client, batch: LetterBatch, now: dt.datetime) -> None:
    noted = record_return(letter_code(batch.pk, 1), reason="moved", now=now)[0]
    assert client.get(f"/returned-post/{noted.pk}/undo/").status_code == 405
    client.post(f"/returned-post/{noted.pk}/undo/")
    assert not PostReturn.objects.filter(pk=noted.pk).exists()


def test_the_page_costs_the_same_for_many(client: Client, now: dt.datetime, django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        record_return(CustomerFactory().number, reason="moved", now=now)
    with django_assert_max_num_queries(12):
        client.get("/returned-post/")


def test_returned_post_is_for_those_who_may_change_customers(counter_staff: User, client_of: Any) -> None:
    visitor = client_of(counter_staff)
    customer = CustomerFactory()
    assert visitor.get("/returned-post/").status_code == 403
    assert visitor.post("/returned-post/", {"code": customer.number, "reason": "moved"}).status_code == 403
    assert states() == {""}


def test_other_systems_note_returned_post_too(administrator: User, batch: LetterBatch) -> None:
    _user, token = add_integration(name="postkamer", by=administrator)
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    made = api.post("/api/v1/post-returns/", {"code": letter_code(batch.pk, 1), "reason": "moved"}, format="json")
    assert (made.status_code, len(made.data), made.data[0]["mailing"]) == (201, 2, batch.mailing_id)
    again = api.post("/api/v1/post-returns/", {"code": letter_code(batch.pk, 1), "reason": "moved"}, format="json")
    assert again.status_code == 409
    assert api.post("/api/v1/post-returns/", {"code": "x", "reason": "moved"}, format="json").status_code == 404
    assert api.get("/api/v1/post-returns/?reason=moved").data["count"] == 2
    assert api.delete(f"/api/v1/post-returns/{made.data[0]['id']}/").status_code == 204
    assert api.get("/api/v1/post-returns/").data["count"] == 1


def test_a_slip_that_is_taken_back_leaves_what_another_letter_said(pair: list[Customer], now: dt.datetime) -> None:
    number = pair[0].number
    [first] = record_return(number, reason="unknown", now=now)
    [second] = record_return(number, reason="unknown", now=now + dt.timedelta(days=1))
    undo_return(first, now=now)
    assert Customer.objects.get(pk=pair[0].pk).address_state == "returned"
    undo_return(first, now=now)  # a second click
    undo_return(second, now=now)
    assert Customer.objects.get(pk=pair[0].pk).address_state == ""
    assert not PostReturn.objects.exists()


def test_a_slip_of_an_earlier_address_says_nothing_of_the_next_one(pair: list[Customer], now: dt.datetime) -> None:
    customer = pair[0]
    [first] = record_return(customer.number, reason="unknown", now=now)
    record_post_news(customer, "", by="test", now=now)  # as a new address does
    record_return(customer.number, reason="unknown", now=now + dt.timedelta(days=1))
    undo_return(first, now=now)
    assert Customer.objects.get(pk=customer.pk).address_state == "returned"


def test_where_a_letter_went_is_forgotten_with_the_addresses_of_mails(batch: LetterBatch, now: dt.datetime) -> None:
    rule, letters = retention_rules["addresses"], PrintedLetter.objects.exclude(address_key="")
    assert letters.count() == 2
    assert (rule.count(now, now), rule.apply(now, now)) == (0, 0)
    later = now + dt.timedelta(seconds=1)
    assert (rule.count(later, later), rule.apply(later, later)) == (2, 2)
    assert not letters.exists()
    assert PrintedLetter.objects.filter(batch=batch).count() == 2  # that he got one stays known
