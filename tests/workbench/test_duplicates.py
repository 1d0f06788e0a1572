from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from customers.actions.matching import match_customers
from customers.actions.merging import merge_customers
from customers.models import Customer, Guardianship, MatchPair, MatchSettings, Merge
from customers.search import MOST
from tests.factories import NOW, ContactPointFactory, CustomerFactory, FactFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:{name}", args=args)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def alike(count: int) -> list[Customer]:
    """So many cards of one person in one system, which therefore wait for a judgement."""
    people = [
        CustomerFactory(last_name="Zwart", postal_code="1441AB", house_number="7", email="zwart@example.nl")
        for _one in range(count)
    ]
    match_customers("SELECT id FROM customers_customer", now=NOW)
    return people


def test_the_list_says_who_may_be_the_same_and_why(client: Client) -> None:
    first, second = alike(2)
    page = text(client.get(url("duplicate_list")))
    assert first.number in page
    assert second.number in page
    assert "Dezelfde geboortedatum" in page
    assert url("duplicate_detail", MatchPair.objects.get().pk) in client.get(url("duplicate_list")).content.decode()


def test_of_a_common_name_every_pair_is_found(client: Client) -> None:
    # of all who are called so a search gives the first only, and these pairs come after
    CustomerFactory.create_batch(MOST + 1, last_name="Zwart", first_name="Aa", email="")
    one, other = CustomerFactory.create_batch(2, last_name="Zwart", first_name="Zz", email="")
    MatchPair.objects.create(first=one, second=other, score=80, found_at=NOW)
    assert one.number in text(client.get(url("duplicate_list"), {"q": "zwart"}))
    kept, absorbed = CustomerFactory.create_batch(2, last_name="Zwart", first_name="Zz", email="")
    merge = merge_customers(kept, absorbed, by="test", now=NOW)
    assert merge.kept.number in text(client.get(url("merge_list"), {"q": "zwart"}))


def test_a_pair_shows_both_with_what_differs_and_what_they_bring(client: Client) -> None:
    first, second = alike(2)
    FactFactory(customer=second)
    Customer.objects.filter(pk=second.pk).update(city="Hoorn")
    answer = client.get(url("duplicate_detail", MatchPair.objects.get().pk))
    page = text(answer)
    assert "Hoorn" in page
    assert "Purmerend" in page
    assert "verschilt" in page
    assert f"Samenvoegen, {first.number} blijft" in page


def test_deciding_goes_on_to_the_next_pair(client: Client) -> None:
    first, _second, third = alike(3)
    one, two, _three = MatchPair.objects.waiting()
    answer = client.post(url("duplicate_decide", one.pk), {"decision": "different"})
    assert answer.headers["Location"] == url("duplicate_detail", two.pk)
    pair = MatchPair.objects.get(first=first, second=third)
    client.post(url("duplicate_decide", pair.pk), {"decision": str(third.pk)})
    first.refresh_from_db()
    assert first.merged_into == third
    assert Merge.objects.get().user is not None
    assert not MatchPair.objects.waiting().filter(first=first).exists()


def test_a_decision_about_somebody_else_is_refused(client: Client) -> None:
    alike(2)
    stranger = CustomerFactory()
    pair = MatchPair.objects.get()
    client.post(url("duplicate_decide", pair.pk), {"decision": str(stranger.pk)})
    assert MatchPair.objects.waiting().exists()
    assert client.get(url("duplicate_decide", pair.pk)).status_code == 405


def test_a_judgement_can_be_taken_back(client: Client) -> None:
    alike(2)
    pair = MatchPair.objects.get()
    client.post(url("duplicate_decide", pair.pk), {"decision": "different"})
    assert text(client.get(url("duplicate_list"))).count("Zwart") == 0
    assert "Zwart" in text(client.get(url("duplicate_list"), {"state": "different"}))
    client.post(url("duplicate_reopen", pair.pk))
    assert MatchPair.objects.waiting().exists()


def test_merging_by_hand_starts_at_the_customer_and_can_be_undone(client: Client) -> None:
    kept, absorbed = CustomerFactory(first_name="Anna"), CustomerFactory(first_name="Kees")
    start = url("merge_start", kept.pk)
    assert start in client.get(url("customer_detail", kept.pk)).content.decode()
    assert client.post(start, {"number": "bestaat niet"}).status_code == 422
    assert client.post(start, {"number": kept.number}).status_code == 422
    answer = client.post(start, {"number": absorbed.number})
    compare = url("merge_compare", kept.pk, absorbed.pk)
    assert answer.headers["Location"] == compare
    assert "Een andere voornaam" in text(client.get(compare))
    answer = client.post(url("merge_do", kept.pk, absorbed.pk), {"decision": str(kept.pk)})
    assert answer.headers["Location"] == url("customer_detail", kept.pk)
    assert client.get(url("customer_detail", absorbed.pk)).headers["Location"] == url("customer_detail", kept.pk)
    page = client.get(url("merge_list"), {"q": "Kees"}).content.decode()
    assert absorbed.number in page
    client.post(url("merge_undo", Merge.objects.get().pk))
    absorbed.refresh_from_db()
    assert absorbed.merged_into is None
    assert url("merge_undo", Merge.objects.get().pk) not in client.get(url("merge_list")).content.decode()


def test_a_merge_tells_who_when_why_and_what_it_moved(client: Client) -> None:
    kept, absorbed = alike(2)
    ContactPointFactory(customer=absorbed, channel="phone", value="+31612345678")
    FactFactory(customer=absorbed)
    client.post(url("merge_do", kept.pk, absorbed.pk), {"decision": str(kept.pk)})
    merge = Merge.objects.get()
    assert merge.score > 60
    assert merge.reasons
    page = text(client.get(url("merge_detail", merge.pk)))
    assert all(
        words in page for words in ("06 12 34 56 78", "Dezelfde achternaam", "Wat u deed", kept.number, absorbed.number)
    ), page
    line = text(client.get(url("customer_timeline", kept.pk)))
    assert f"Samengevoegd met klant {absorbed.number}" in line
    assert f"waarschijnlijkheid {merge.score} van 100" in line
    client.post(url("merge_undo", merge.pk))
    page = text(client.get(url("merge_detail", merge.pk)))
    assert "Ongedaan gemaakt" in page
    assert url("merge_undo", merge.pk) not in client.get(url("merge_detail", merge.pk)).content.decode()
    line = text(client.get(url("customer_timeline", absorbed.pk)))
    assert f"Opgegaan in klant {kept.number}" in line
    assert f"Weer los van klant {kept.number}" in line


def test_a_chain_of_merges_is_told_on_the_page_of_who_is_left(client: Client) -> None:
    first, second, third = (CustomerFactory() for _one in range(3))
    for kept, absorbed in ((second, first), (third, second)):
        client.post(url("merge_do", kept.pk, absorbed.pk), {"decision": str(kept.pk)})
    line = text(client.get(url("customer_timeline", third.pk)))
    assert all(f"Samengevoegd met klant {one.number}" in line for one in (first, second))


def test_lists_ask_the_same_however_long_they_are(client: Client) -> None:
    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    alike(2)
    client.get(url("duplicate_list"))
    short = queries(url("duplicate_list"))
    alike(4)
    assert queries(url("duplicate_list")) == short
    pair = MatchPair.objects.waiting()[0]
    assert queries(url("duplicate_detail", pair.pk)) <= 30
    people = [CustomerFactory() for _one in range(4)]
    client.post(url("merge_do", people[0].pk, people[1].pk), {"decision": str(people[0].pk)})
    short = queries(url("merge_list"))
    client.post(url("merge_do", people[2].pk, people[3].pk), {"decision": str(people[2].pk)})
    assert queries(url("merge_list")) == short


def test_thresholds_are_for_administrators(
    client: Client, administrator: User, client_of: Callable[[User], Client]
) -> None:
    assert client.get(url("match_settings")).status_code == 403
    boss = client_of(administrator)
    wrong = boss.post(url("match_settings"), {"possible_from": 90, "certain_from": 80})
    assert wrong.status_code == 422
    boss.post(url("match_settings"), {"possible_from": 50, "certain_from": 99, "merges_itself": "on"})
    found = MatchSettings.load()
    assert (found.possible_from, found.certain_from, found.merges_itself) == (50, 99, True)
    assert "Gemaakt" in text(boss.get(url("match_settings")))


def test_parents_are_added_and_removed_on_the_page(client: Client) -> None:
    import datetime as dt

    child = CustomerFactory(birth_date=dt.date(2016, 1, 1), first_name="Sem")
    parent = CustomerFactory(birth_date=dt.date(1985, 1, 1), first_name="Moniek")
    add = url("guardian_add", child.pk)
    assert add in client.get(url("customer_detail", child.pk)).content.decode()
    assert client.post(add, {"relation": "child", "number": parent.number}).status_code == 422
    client.post(add, {"relation": "guardian", "number": parent.number})
    bond = Guardianship.objects.get()
    assert (bond.child, bond.guardian) == (child, parent)
    assert "Moniek" in text(client.get(url("customer_detail", child.pk)))
    client.post(url("guardian_end", bond.pk))
    assert not Guardianship.objects.exists()


def test_a_member_stands_first_whoever_was_known_longer(client: Client) -> None:
    prospect, member = alike(2)
    Customer.objects.filter(pk=prospect.pk).update(kind=Customer.Kind.PROSPECT)
    pair = MatchPair.objects.get()
    page = client.get(url("duplicate_detail", pair.pk))
    assert page.context["first"] == member
