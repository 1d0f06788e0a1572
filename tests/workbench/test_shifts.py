from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from campaigns.actions import create_action
from common.time import clock, local_date
from customers.models import Branch, Customer, Purpose
from labels.actions import create_group, create_label, give_label
from labels.models import Label, LabelGroup
from mailings import before_moves
from mailings.models import Mailing, Message
from selections.actions import create_selection
from selections.compiler import members
from selections.models import Export, Selection
from tests.factories import CustomerFactory, VoucherFactory
from tests.mailings.conftest import base_data, house, make_content, marketing, service, start
from tests.vouchers.conftest import definition
from vouchers.models import Definition

__all__ = ["base_data", "definition", "house", "make_content", "marketing", "service", "start"]

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def client(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


@pytest.fixture
def group() -> LabelGroup:
    return create_group(name="Trap", code="trap", is_exclusive=True)


@pytest.fixture
def ladder(group: LabelGroup) -> list[Label]:
    return [create_label(name=name, kind="own", group=group, now=clock()) for name in ("Laag", "Midden", "Hoog")]


@pytest.fixture
def mover(ladder: list[Label]) -> Customer:
    """Low a hundred days ago, high since ten."""
    customer: Customer = CustomerFactory(last_name="Klimmer", created_at=clock() - 200 * DAY)
    give(ladder[0], customer, ago=100)
    give(ladder[2], customer, ago=10)
    return customer


def give(label: Label, customer: Customer, *, ago: int) -> None:
    give_label(label, Customer.objects.filter(pk=customer.pk), by="Petra", now=clock() - ago * DAY)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def url(name: str, **query: Any) -> str:
    return reverse(f"workbench:shift_{name}", query={"group": "trap", **query} if query else None)


def days(**more: Any) -> dict[str, Any]:
    today = local_date(clock())
    return {"group": "trap", "first": today - 30 * DAY, "last": today - DAY, **more}


def test_the_matrix_shows_who_went_where(client: Client, mover: Customer, ladder: list[Label]) -> None:
    stayer = CustomerFactory(created_at=clock() - 200 * DAY)
    give(ladder[1], stayer, ago=100)
    give(ladder[0], CustomerFactory(created_at=clock() - 5 * DAY, registered_on=None), ago=4)
    page = client.get(reverse("workbench:shift_matrix"), days())
    found = page.context["found"]
    assert dict(found.counts) == {(1, 3): 1, (2, 2): 1, (-1, 1): 1}
    shown = text(page)
    assert "Nog geen klant" in shown or "nog geen klant" in shown
    assert "▲" in shown
    assert 'aria-label="Van Laag naar Hoog: 1, omhoog"' in page.content.decode()


def test_the_menu_leads_to_the_usual_comparison(client: Client, mover: Customer) -> None:
    page = client.get(reverse("workbench:shift_matrix"))
    assert page.status_code == 200
    assert page.context["form"].last_day == local_date(clock())
    assert reverse("workbench:shift_matrix") in client.get("/").content.decode()


def test_without_groups_the_page_says_what_to_do(client: Client) -> None:
    assert "groep" in text(client.get(reverse("workbench:shift_matrix")))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"first": "2026-03-02", "last": "2026-03-01"}, "na de eerste"),
        ({"last": "2999-01-01"}, "niet in de toekomst"),
        ({"first": "2001-01-01", "last": "2026-01-01"}, "3 jaar"),
        ({"group": "onbekend"}, ""),
        ({"first": "gisteren"}, ""),
    ],
)
def test_days_that_cannot_be_compared_are_refused_in_words(
    client: Client, mover: Customer, wrong: dict[str, str], words: str
) -> None:
    page = client.get(reverse("workbench:shift_matrix"), days(**wrong))
    assert page.status_code == 200
    assert "found" not in page.context
    assert words in text(page)


def test_a_branch_and_a_selection_narrow_the_matrix(client: Client, mover: Customer, ladder: list[Label]) -> None:
    other = CustomerFactory(branch=Branch.objects.create(code="V9", name="Verder"), created_at=clock() - 200 * DAY)
    give(ladder[0], other, ago=100)
    rule = {"version": 2, "op": "all", "children": [{"criterion": "customer.branch", "params": {"branches": ["V9"]}}]}
    selection = create_selection(name="Verder", rule=rule, now=clock())
    for narrowed in ({"branch": other.branch.pk}, {"selection": selection.pk}):
        page = client.get(reverse("workbench:shift_matrix"), days(**narrowed))
        assert dict(page.context["found"].counts) == {(1, 1): 1}
        cell = client.get(url("cell"), days(was="laag", became="laag", **narrowed))
        assert [one["customer"] for one in cell.context["people"]] == [other]


def test_the_course_tells_the_moves_per_week(client: Client, mover: Customer) -> None:
    part = client.get(reverse("workbench:shift_matrix"), days(course=1), headers={"HX-Request": "true"})
    [line] = part.context["chart"]["datasets"]
    assert (line["label"], sum(line["data"])) == ("Laag → Hoog", 1)
    assert "<h1" not in part.content.decode()
    whole = client.get(reverse("workbench:shift_matrix"), days(course=1))
    assert whole.context["chart"] == part.context["chart"]
    assert "found" in whole.context


def test_the_matrix_is_a_file_too(client: Client, mover: Customer) -> None:
    answer = client.get(url("file"), days())
    lines = answer.content.decode().splitlines()
    assert lines[0] == "\ufeffVan;geen label;Laag;Midden;Hoog;Totaal"
    assert "Laag;0;0;0;1;1" in lines
    assert lines[-1] == "Totaal;0;0;0;1;1"


def test_a_cell_names_the_customers_and_when_they_moved(client: Client, mover: Customer) -> None:
    page = client.get(url("cell"), days(was="laag", became="hoog"))
    shown = text(page)
    assert "Klimmer" in shown
    assert "Laag → Hoog" in shown
    assert "Petra" in shown
    assert page.context["total"] == 1


def test_an_unknown_cell_leads_back_to_the_matrix(client: Client, mover: Customer) -> None:
    answer = client.get(url("cell"), days(was="laag", became="zo-niet"))
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("workbench:shift_matrix")


def test_a_cell_becomes_a_selection_of_the_same_customers(client: Client, mover: Customer, ladder: list[Label]) -> None:
    give(ladder[0], CustomerFactory(created_at=clock() - 200 * DAY), ago=100)
    late = CustomerFactory(created_at=clock() - 5 * DAY, registered_on=None)
    give(ladder[0], late, ago=4)
    for was, became, who in (("laag", "hoog", mover), ("~new", "laag", late)):
        answer = client.post(url("cell_keep"), days(was=was, became=became, name=f"Van {was}"))
        selection = Selection.objects.get(name=f"Van {was}")
        assert answer.headers["Location"] == reverse("workbench:selection_detail", args=[selection.pk])
        assert list(members(selection, now=clock())) == [who]


def test_exporting_a_cell_is_recorded(client: Client, mover: Customer) -> None:
    answer = client.post(url("cell_export"), days(was="laag", became="hoog", columns=["number", "last_name"]))
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[1:] == [f"{mover.number};Klimmer"]
    assert Export.objects.get().row_count == 1


def test_who_may_not_see_customers_gets_no_cell(
    client_of: Callable[[User], Client], counter_staff: User, mover: Customer
) -> None:
    staff = client_of(counter_staff)
    assert staff.get(url("cell"), days(was="laag", became="hoog")).status_code == 403
    assert staff.get(reverse("workbench:shift_matrix")).status_code == 403
    assert staff.post(url("cell_export"), days(was="laag", became="hoog", columns=["number"])).status_code == 403


def test_a_page_of_customers_costs_as_many_queries_as_one(
    client: Client,
    mover: Customer,
    ladder: list[Label],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(20):
        customer = CustomerFactory(created_at=clock() - 200 * DAY)
        give(ladder[0], customer, ago=100)
        give(ladder[2], customer, ago=10)
    with django_assert_max_num_queries(22):
        page = client.get(url("cell"), days(was="laag", became="hoog"))
    assert page.context["total"] == 21
    with django_assert_max_num_queries(16):
        client.get(reverse("workbench:shift_matrix"), days())


# --- what they received before ---


@pytest.fixture
def crowd(ladder: list[Label], base_data: None) -> dict[str, list[Customer]]:
    """Four who went up ten days ago, four who stayed low."""
    found = {name: [CustomerFactory(created_at=clock() - 200 * DAY) for _ in range(4)] for name in ("up", "stays")}
    for customer in (*found["up"], *found["stays"]):
        give(ladder[0], customer, ago=100)
    for customer in found["up"]:
        give(ladder[2], customer, ago=10)
    return found


def sent(mailing: Mailing, *, ago: int) -> None:
    Message.objects.filter(mailing=mailing).update(state="sent", sent_at=clock() - ago * DAY)


def test_what_movers_received_is_held_against_who_stayed(
    client: Client, crowd: dict[str, list[Customer]], start: Callable[..., Mailing], service: Purpose
) -> None:
    helps = start(*crowd["up"][:3], crowd["stays"][0], name="Kom eens langs", purpose=service)
    sent(helps, ago=20)
    late = start(*crowd["up"], name="Te laat", purpose=service)
    sent(late, ago=5)
    long_ago = start(*crowd["up"], name="Te lang geleden", purpose=service)
    sent(long_ago, ago=60)
    part = client.get(url("cell"), days(was="laag", became="hoog", received=1), headers={"HX-Request": "true"})
    found = part.context["received"]
    assert (found.movers, found.stayers, found.is_sample) == (4, 4, False)
    [line] = found.lines
    assert (line.name, line.shares.movers, line.shares.stayers) == ("Kom eens langs", 3, 1)
    assert (line.shares.mover_share, line.shares.stayer_share, line.shares.difference) == (75.0, 25.0, 50.0)
    assert [(channel.name, channel.shares.movers) for channel in found.channels] == [("E-mail", 3)]
    assert found.any.movers == 3
    assert "+50,0" in text(part)
    longer = client.get(url("cell"), days(was="laag", became="hoog", received=1, days=60))
    assert {line.name for line in longer.context["received"].lines} == {"Kom eens langs", "Te lang geleden"}


def test_a_voucher_counts_as_received(client: Client, crowd: dict[str, list[Customer]], definition: Definition) -> None:
    for customer in crowd["up"][:2]:
        VoucherFactory(definition=definition, customer=customer, issued_at=clock() - 15 * DAY)
    found = client.get(url("cell"), days(was="laag", became="hoog", received=1)).context["received"]
    [line] = found.lines
    assert (line.kind, line.name, line.shares.movers, line.shares.stayers) == ("voucher", definition.name, 2, 0)


def test_of_a_crowd_a_sample_is_looked_at(
    client: Client,
    crowd: dict[str, list[Customer]],
    start: Callable[..., Mailing],
    service: Purpose,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(before_moves, "SAMPLE", 2)
    sent(start(*crowd["up"], name="Aan allen", purpose=service), ago=20)
    found = client.get(url("cell"), days(was="laag", became="hoog", received=1)).context["received"]
    assert (found.movers, found.stayers, found.is_sample) == (2, 2, True)
    assert found.lines[0].shares.mover_share == 100.0


def test_a_trigger_on_a_cell_is_filled_in(client: Client, mover: Customer, base_data: None) -> None:
    action = create_action(
        name="Hoera", purpose=Purpose.objects.get(code="service"), channels="email", by=None, now=clock()
    )
    answer = client.get(url("cell_trigger"), days(was="~new", became="hoog", owner=f"action:{action.pk}"))
    form = client.get(answer.headers["Location"]).context["form"]
    assert [form[f"params_{name}"].value() for name in ("label_group", "from_label", "to_label")] == [
        "trap", "~none", "hoog",
    ]  # fmt: skip
    for was, is_offered in {"laag": True, "hoog": False, "~new": True}.items():
        assert bool(client.get(url("cell"), days(was=was, became="hoog")).context["owner_form"]) is is_offered
    # No label before he was a customer, and none now: nothing happened on which anything could hang.
    assert client.get(url("cell"), days(was="~new", became="~none")).context["owner_form"] is None
    nowhere = client.get(url("cell_trigger"), days(was="laag", became="hoog", owner="action:0"))
    assert nowhere.headers["Location"].startswith(reverse("workbench:shift_cell"))


def test_a_cell_saved_as_selection_may_go_on_to_an_action(client: Client, mover: Customer, base_data: None) -> None:
    action = create_action(
        name="Hoera", purpose=Purpose.objects.get(code="service"), channels="email", by=None, now=clock()
    )
    sent_form = days(was="laag", became="hoog", name="Klimmers", action=action.pk)
    answer = client.post(url("cell_keep"), sent_form)
    selection = Selection.objects.get(name="Klimmers")
    assert answer.headers["Location"] == f"/actions/{action.pk}/run/?selection={selection.pk}"
    assert client.get(answer.headers["Location"]).status_code == 200
    again = client.post(url("cell_keep"), sent_form)
    assert again.headers["Location"].startswith(reverse("workbench:shift_cell"))


def test_the_first_days_of_the_calendar_are_answered_too(client: Client, mover: Customer) -> None:
    for name in ("shift_matrix", "shift_file", "shift_cell"):
        answer = client.get(reverse(f"workbench:{name}"), {"first": "0001-01-02", "last": "0002-01-01"})
        assert answer.status_code == 200
