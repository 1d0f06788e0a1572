from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from common.time import clock, local_date
from customers.models import Customer, PurposeChannel
from labels.actions import change_label, create_group, create_label, give_label, refresh_system_labels, take_label
from labels.models import Label, LabelGroup, RefreshRun
from selections.actions import create_selection
from tests.factories import CustomerFactory, PurposeFactory
from tests.workbench.conftest import Nudged

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def red(marketeer: User) -> Label:
    return create_label(code="rood", name="Rood", kind="own", description="Houdt van rood", by=marketeer, now=clock())


@pytest.fixture(autouse=True)
def profiling(db: None) -> None:
    """An organisation that profiles until somebody objects: these tests are about pages, not about permission."""
    purpose = PurposeFactory(code="profiling", rule="opt_in")
    purpose.channels.filter(channel="email").update(basis=PurposeChannel.Basis.INTEREST)


def url(name: str, *args: Any) -> str:
    return reverse(f"workbench:label_{name}", args=args)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def give(label: Label, *customers: Customer, now: dt.datetime | None = None) -> None:
    found = Customer.objects.filter(pk__in=[customer.pk for customer in customers])
    give_label(label, found, by="Petra", reason="met de hand", now=now or clock())


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


# --- the list ---


def test_the_list_shows_every_label_in_its_group_with_how_many_have_it(client: Client, red: Label) -> None:
    customers = CustomerFactory.create_batch(3)
    give(red, *customers)
    take_label(red, Customer.objects.filter(pk=customers[0].pk), by="Petra", now=clock())
    create_label(name="Bezoeker", kind="own", group=create_group(name="Fase", is_exclusive=True), now=clock())
    refresh_system_labels(now=clock(), due_key="1")
    page = text(client.get(url("list")))
    assert "Rood Houdt van rood 2" in page
    assert "Fase Een klant heeft er hiervan hooguit één." in page
    assert "Niet-lener Lid dat in 12 maanden niets leende. 3" in page
    assert page.index("Bezoeker") < page.index("Rood") < page.index("Niet-lener") < page.index("Zware lener")


def test_the_list_shows_one_kind_when_asked(client: Client, red: Label) -> None:
    refresh_system_labels(now=clock(), due_key="1")
    own = text(client.get(url("list"), {"kind": "own"}))
    assert "Rood" in own
    assert "Niet-lener" not in own
    assert "Rood" in text(client.get(url("list"), {"kind": "'; DROP"}))
    assert "Nog geen labels van deze soort" in text(client.get(url("list"), {"kind": "customer"}))


def test_the_list_asks_no_query_per_label(client: Client, red: Label) -> None:
    client.get(url("list"))
    few = queries(client, url("list"))
    refresh_system_labels(now=clock(), due_key="1")
    assert Label.objects.count() > 20
    assert queries(client, url("list")) == few <= 13


# --- the page of a label ---


def test_the_page_tells_what_it_means_who_has_it_and_what_uses_it(client: Client, red: Label) -> None:
    customer = CustomerFactory(first_name="Bea", last_name="Bos", number="4711")
    give(red, customer)
    data = {"version": 2, "op": "all", "children": [{"criterion": "labels.has", "params": {"labels": ["rood"]}}]}
    create_selection(name="Rode klanten", rule=data, now=clock())
    page = text(client.get(url("detail", red.pk)))
    assert "Houdt van rood" in page
    assert "Bea Bos 4711" in page
    assert "Petra met de hand" in page
    assert "Rode klanten (selectie)" in page
    assert "Gemaakt marketeer" in page


def test_the_chart_counts_who_had_it_at_the_end_of_each_week(client: Client, red: Label) -> None:
    one, two = CustomerFactory.create_batch(2)
    give(red, one, two, now=clock() - 10 * DAY)
    take_label(red, Customer.objects.filter(pk=two.pk), by="Petra", now=clock() - 2 * DAY)
    chart = client.get(url("detail", red.pk)).context["chart"]
    assert chart["datasets"][0]["data"][-3:] == [0, 2, 1]
    assert len(chart["labels"]) == 26


def test_counts_at_the_end_of_a_day_include_that_day(red: Label) -> None:
    now = clock()
    today = local_date(now)
    give(red, CustomerFactory(), now=now)
    counts = red.assignments.counts_at([today - DAY, today])
    assert counts == {today - DAY: 0, today: 1}
    assert red.assignments.counts_at([]) == {}


def test_a_system_label_shows_its_definition_and_cannot_be_changed_or_given(client: Client) -> None:
    customer = CustomerFactory(number="12")
    refresh_system_labels(now=clock(), due_key="1")
    label = Label.objects.get(code="borrowing-none")
    response = client.get(url("detail", label.pk))
    assert "Lid dat in 12 maanden niets leende." in text(response)
    assert url("change", label.pk) not in response.content.decode()
    assert client.get(url("change", label.pk)).status_code == 404
    response = client.post(url("give", label.pk), {"numbers": "12"})
    assert response.status_code == 422
    assert "wordt door het product berekend" in text(response)
    client.post(url("take", label.pk, customer.pk))
    assert label.assignments.open().count() == 1


def test_a_label_for_customers_shows_the_text_they_read(client: Client) -> None:
    label = create_label(name="Reizen", kind="customer", description="U leest graag over reizen", now=clock())
    page = text(client.get(url("detail", label.pk)))
    assert "Wat klanten lezen U leest graag over reizen" in page
    assert url("give", label.pk) not in client.get(url("detail", label.pk)).content.decode()


def test_holders_come_in_pages_without_a_query_each(client: Client, red: Label) -> None:
    give(red, *CustomerFactory.create_batch(3))
    client.get(url("detail", red.pk))
    few = queries(client, url("detail", red.pk))
    give(red, *CustomerFactory.create_batch(60))
    assert queries(client, url("detail", red.pk)) == few
    part = client.get(url("detail", red.pk), {"page": 2}, headers={"HX-Request": "true"}).content.decode()
    assert part.count("<tr") == 14
    assert "<html" not in part


# --- making and changing ---


def test_a_label_is_made_with_what_was_filled_in(client: Client, marketeer: User) -> None:
    group = create_group(name="Fase")
    sent = {"name": "Vrijwilliger", "kind": "own", "description": "Helpt", "group": group.pk, "colour": "green"}
    response = client.post(url("create"), sent)
    label = Label.objects.get(name="Vrijwilliger")
    assert response["Location"] == url("detail", label.pk)
    assert (label.code, label.kind, label.group, label.colour) == ("vrijwilliger", "own", group, "green")


def test_a_system_label_cannot_be_made_by_hand(client: Client) -> None:
    refresh_system_labels(now=clock(), due_key="1")
    before = Label.objects.count()
    system_group = LabelGroup.objects.get(code="borrowing").pk
    for sent in (
        {"name": "X", "kind": "system", "colour": "blue"},
        {"name": "X", "kind": "own", "colour": "blue", "group": system_group},
        {"name": "", "kind": "own", "colour": "blue"},
        {"name": "X", "kind": "own", "colour": "pink"},
    ):
        assert client.post(url("create"), sent).status_code == 422
    assert Label.objects.count() == before


def test_a_label_is_changed_and_taken_out_of_use(client: Client, red: Label) -> None:
    assert 'value="Rood"' in client.get(url("change", red.pk)).content.decode()
    client.post(url("change", red.pk), {"name": "Rozerood", "description": "", "colour": "red"})
    red.refresh_from_db()
    assert (red.name, red.code, red.colour, red.is_active) == ("Rozerood", "rood", "red", False)
    assert "Niet in gebruik" in text(client.get(url("detail", red.pk)))


def test_a_group_is_made_and_changed_and_a_conflict_is_told(client: Client) -> None:
    client.post(url("group_create"), {"name": "Fase", "colour": "teal"})
    group = LabelGroup.objects.get(name="Fase")
    assert not group.is_exclusive
    assert "Groepen zonder labels Fase" in text(client.get(url("list")))
    customer = CustomerFactory()
    for name in ("Een", "Twee"):
        give(create_label(name=name, kind="own", group=group, now=clock()), customer)
    response = client.post(
        url("group_change", group.pk), {"name": "Fase", "colour": "teal", "is_exclusive": "on", "is_active": "on"}
    )
    assert response.status_code == 422
    assert "klanten met twee labels" in text(response)
    client.post(url("group_change", group.pk), {"name": "Levensfase", "colour": "teal", "is_active": "on"})
    group.refresh_from_db()
    assert (group.name, group.is_exclusive) == ("Levensfase", False)


def test_what_uses_a_group_is_shown_before_it_goes_out_of_use(client: Client, red: Label) -> None:
    group = create_group(name="Kleuren")
    change_label(red, group=group)
    has = {"criterion": "labels.has", "params": {"labels": ["rood"]}}
    create_selection(name="Roodharigen", rule={"version": 2, "op": "all", "children": [has, has]}, now=clock())
    sent = {"name": "Kleuren", "colour": "teal"}
    asked = client.post(url("group_change", group.pk), sent)
    assert asked.status_code == 422
    assert text(asked).count("Roodharigen (selectie, Rood)") == 1
    assert 'type="checkbox" name="anyway"' in asked.content.decode()
    assert LabelGroup.objects.get(pk=group.pk).is_active
    assert client.post(url("group_change", group.pk), {**sent, "anyway": "on"}).status_code == 302
    assert not LabelGroup.objects.get(pk=group.pk).is_active
    unused = create_group(name="Los")
    assert client.post(url("group_change", unused.pk), {"name": "Los", "colour": "teal"}).status_code == 302


# --- giving by hand ---


def test_a_label_is_given_to_customers_by_number(client: Client, red: Label) -> None:
    for number in ("11", "12", "13"):
        CustomerFactory(number=number)
    response = client.post(url("give", red.pk), {"numbers": " 11, 12;\n12 "}, follow=True)
    assert "2 klanten kregen “Rood”." in text(response)
    holders = red.assignments.open().values_list("customer__number", "given_by")
    assert set(holders) == {("11", "marketeer"), ("12", "marketeer")}


def test_unknown_numbers_are_named_and_nobody_gets_the_label(client: Client, red: Label) -> None:
    CustomerFactory(number="11")
    response = client.post(url("give", red.pk), {"numbers": "11 99 98"})
    assert response.status_code == 422
    assert "Deze klantnummers zijn onbekend: 99, 98" in text(response)
    assert red.assignments.count() == 0
    many = " ".join(map(str, range(10_001)))
    assert client.post(url("give", red.pk), {"numbers": many}).status_code == 422


def test_a_label_is_taken_from_one_customer(client: Client, red: Label) -> None:
    one, other = CustomerFactory.create_batch(2)
    give(red, one, other)
    assert client.get(url("take", red.pk, one.pk)).status_code == 405
    client.post(url("take", red.pk, one.pk))
    assert [row.customer for row in red.assignments.open()] == [other]
    assert red.assignments.get(customer=one).taken_by == "marketeer"


# --- computing now ---


def test_system_labels_are_computed_by_a_worker_when_asked(client: Client, nudged: Nudged) -> None:
    CustomerFactory()
    with nudged():
        assert client.post(url("refresh"))["Location"] == url("list")
    assert RefreshRun.objects.get().given_count > 0


@pytest.mark.parametrize("role", ["counter", "integrator"])
def test_who_has_nothing_to_do_with_labels_is_turned_away(
    make_user: Callable[..., User], client_of: Callable[[User], Client], red: Label, role: str
) -> None:
    client = client_of(make_user(role))
    pages = [url("list"), url("create"), url("group_create"), *(url(n, red.pk) for n in ("detail", "change", "give"))]
    assert {client.get(page).status_code for page in pages} == {403}
    assert client.post(url("refresh")).status_code == 403
    assert client.post(url("take", red.pk, 1)).status_code == 403


def test_the_page_of_a_group_names_no_customers_among_what_uses_it(client: Client, red: Label) -> None:
    group = create_group(name="Fase", is_exclusive=True)
    red.group = group
    red.save()
    give(red, CustomerFactory())
    shown = client.get(url("group_change", group.pk))
    assert [one["use"].thing for one in shown.context["uses"]] == []


def test_a_label_out_of_use_can_still_be_taken_from_a_customer(client: Client, red: Label) -> None:
    customer = CustomerFactory()
    give(red, customer)
    change_label(red, is_active=False)
    answer = client.post(reverse("workbench:customer_label_take", args=[customer.pk, red.pk]))
    assert answer.status_code == 302
    assert not red.assignments.open().exists()


def test_giving_a_label_to_who_is_restricted_says_why_not(client: Client, red: Label) -> None:
    customer = CustomerFactory(restricted_at=clock())
    form = {"label": red.pk}
    answer = client.post(reverse("workbench:customer_label_give", args=[customer.pk]), form, follow=True)
    assert "restricted" in text(answer) or "beperkt" in text(answer)
    assert not red.assignments.exists()


def test_what_uses_a_label_is_told_where_it_can_be_put_out_of_use(client: Client, red: Label) -> None:
    has = {"criterion": "labels.has", "params": {"labels": ["rood"]}}
    create_selection(name="Roodharigen", rule={"version": 2, "op": "all", "children": [has]}, now=clock())
    assert "Roodharigen" in text(client.get(url("change", red.pk)))


def test_who_has_a_label_is_found_among_many_of_that_name(client: Client, red: Label) -> None:
    CustomerFactory.create_batch(201, last_name="Jansen", first_name="Jan")
    holder = CustomerFactory(last_name="Jansen", first_name="Janna")
    give(red, holder)
    assert client.get(f"{url('detail', red.pk)}?q=jansen").context["total"] == 1
