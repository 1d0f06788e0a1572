"""The page about the quality of the data: what is counted, per branch and source, and the selections behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.criteria import criteria
from customers.actions.quality import count_quality
from customers.models import (
    Absence,
    Consent,
    ContactPoint,
    Customer,
    Guardianship,
    MatchPair,
    Purpose,
    QualityCount,
    SourceRecord,
)
from customers.quality import issues
from mailings.models import Suppression
from selections.compiler import compile_rule
from selections.models import Selection
from tests.factories import (
    NOW,
    BranchFactory,
    ConsentFactory,
    CustomerFactory,
    FactFactory,
    SourceFactory,
    SubscriptionFactory,
)
from tests.workbench.conftest import Nudged

pytestmark = pytest.mark.django_db

LONG_AGO = NOW - dt.timedelta(days=2000)


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def found(code: str) -> set[str]:
    """Return the numbers of who has the issue, by the criterion behind it."""
    issue = issues[code]
    rule = {"version": 2, "op": "all", "children": [{"criterion": issue.criterion, "params": dict(issue.params)}]}
    return set(compile_rule(rule, now=NOW).values_list("number", flat=True))


def well(number: str, **fields: Any) -> Customer:
    """Return somebody with whom nothing is wrong, but for ``fields``."""
    given: dict[str, Any] = {"phone": f"+3161234{int(number):04d}", "branch": BranchFactory(code="EDA")}
    customer: Customer = CustomerFactory(number=number, **{**given, **fields})
    SubscriptionFactory(customer=customer)
    return customer


@pytest.fixture
def everybody() -> None:
    """One customer per issue, called by a number of its own; 1 has none."""
    well("1")
    well("2", email="")
    well("3", phone="")
    well("4", birth_date=None)
    well("5", street="")
    well("6", postal_code="")
    well("7", branch=None)
    well("8", email="geen.adres")
    well("9", phone="+3161")
    well("10", postal_code="1441SS")
    well("11", birth_date=dt.date(1901, 1, 1))
    pair = [well("12"), well("13")]
    MatchPair.objects.create(first=pair[0], second=pair[1], score=70, found_at=NOW)
    well("14", email="samen@example.nl")
    well("15", email="samen@example.nl")
    well("16", phone="+31201234567")
    well("17", phone="+31201234567")
    old = well("18", registered_on=dt.date(2010, 1, 1))
    old.subscriptions.update(ended_on=dt.date(2020, 2, 1))
    active = well("19", registered_on=dt.date(2010, 1, 1))
    active.subscriptions.update(ended_on=dt.date(2020, 2, 1))
    from customers.models import FactTotal

    FactTotal.objects.create(
        customer=active,
        kind="loan",
        first_at=LONG_AGO,
        last_at=NOW - dt.timedelta(days=1),
        count=1,
        quantity=1,
        amount_cents=0,
    )
    well("20", address_state="moved")
    well("21", address_state="returned")
    well("22", deceased_on=dt.date(2026, 1, 1), email="")
    child = well("23", birth_date=dt.date(2018, 1, 1))
    guarded = well("24", birth_date=dt.date(2018, 1, 1))
    Guardianship.objects.create(child=guarded, guardian=child, source=SourceFactory(), created_at=NOW)
    purpose = Purpose.objects.get(code="marketing")
    ConsentFactory(customer=well("25"), purpose=purpose, wording_version="")
    retracted = ConsentFactory(customer=well("26"), purpose=purpose, wording_version="")
    Consent.objects.create(
        customer_id=retracted.customer_id, purpose=purpose, channel="email", state="retracted", retracts=retracted,
        source=retracted.source, event_at=NOW - dt.timedelta(days=1),
    )  # fmt: skip
    well("27", email="weg@example.nl")
    Suppression.objects.create(address="weg@example.nl", reason="bounce", since=NOW)
    well("28", email="boos@example.nl")
    Suppression.objects.create(address="boos@example.nl", reason="complaint", since=NOW)
    well("29", email="vrij@example.nl")
    Suppression.objects.create(address="vrij@example.nl", reason="bounce", since=NOW, released_at=NOW)
    well("30", email="", restricted_at=NOW)
    kept = well("31")
    Customer.objects.filter(pk=well("32", email="").pk).update(merged_into=kept)
    well("33", deceased_on=dt.date(2026, 1, 1), branch=None)
    well("34", deceased_on=dt.date(2026, 1, 1), restricted_at=NOW)
    judged, merged = well("35"), well("36")
    MatchPair.objects.create(first=judged, second=merged, score=70, found_at=NOW)
    Customer.objects.filter(pk=merged.pk).update(merged_into=kept)
    sources = [SourceFactory(code="library"), SourceFactory(code="theatre")]
    for number, absent in (("37", [0]), ("38", [0, 1])):
        gone = well(number)
        for place, source in enumerate(sources):
            record = SourceRecord.objects.create(
                source=source, key=f"k{number}", customer=gone, created_at=NOW, updated_at=NOW
            )
            if place in absent:
                Absence.objects.create(record=record, since=NOW, run_id=1)


WHO = {
    "missing_email": {"2"},
    "missing_phone": {"3"},
    "missing_birth_date": {"4"},
    "missing_address": {"5"},
    "missing_postal_code": {"6"},
    "missing_branch": {"7"},
    "invalid_email": {"8"},
    "invalid_phone": {"9"},
    "invalid_postal_code": {"10"},
    "invalid_birth_date": {"11"},
    "double_pair": {"12", "13"},
    "double_email": {"14", "15"},
    "double_phone": {"16", "17"},
    "stale": {"18"},
    "absent": {"37", "38"},
    "moved": {"20"},
    "returned": {"21"},
    "deceased": {"22", "33"},
    "unguarded": {"23"},
    "wordless": {"25"},
    "blocked_bounce": {"27"},
    "blocked_complaint": {"28"},
}


def test_each_issue_finds_exactly_those_who_have_it(everybody: None) -> None:
    assert {issue.code for issue in issues} == set(WHO)
    assert {issue.code: found(issue.code) for issue in issues} == WHO


def test_the_count_of_the_night_is_that_of_the_selections(everybody: None) -> None:
    count_quality(now=NOW)
    counts = dict(QualityCount.objects.filter(scope="all").values_list("issue", "count"))
    assert counts == {"": 36} | {code: len(who) for code, who in WHO.items()}
    for code, who in WHO.items():
        per_branch = QualityCount.objects.filter(scope="branch", issue=code).values_list("count", flat=True)
        assert sum(per_branch) == len(who), code


def test_counting_again_replaces_the_figures_of_today(everybody: None) -> None:
    count_quality(now=NOW)
    before = QualityCount.objects.count()
    Customer.objects.get(number="2").contact_points.create(
        channel="email", value="nieuw@example.nl", source=SourceFactory(), updated_at=NOW
    )
    count_quality(now=NOW + dt.timedelta(hours=1))
    assert not QualityCount.objects.filter(issue="missing_email").exists()
    assert QualityCount.objects.count() < before


def test_details_are_kept_for_weeks_and_totals_for_the_trend() -> None:
    well("1", email="")
    count_quality(now=NOW - dt.timedelta(days=40))
    count_quality(now=NOW)
    old = QualityCount.objects.filter(day__lt=NOW.date())
    assert {row.scope for row in old} == {"all"}
    assert old.get(issue="missing_email").count == 1


def test_somebody_counts_for_every_source_that_knows_him() -> None:
    customer = well("1", email="")
    for code in ("library", "theatre"):
        for key in ("1", "2"):
            SourceRecord.objects.create(
                source=SourceFactory(code=code), key=key, customer=customer, created_at=NOW, updated_at=NOW
            )
    count_quality(now=NOW)
    rows = QualityCount.objects.filter(scope="source", issue="missing_email")
    assert {(row.source.code, row.count) for row in rows if row.source} == {("library", 1), ("theatre", 1)}


def test_every_criterion_of_quality_says_itself_in_words(everybody: None) -> None:
    for issue in issues:
        criterion = criteria[issue.criterion]
        params = criterion.params.model_validate(dict(issue.params))
        assert criterion.sentence(params)
        assert set(criterion.form(initial=criterion.initial(params)).fields) == set(criterion.params.model_fields)


# --- the page ---


def test_before_anything_was_counted_the_page_offers_to_count(desk: Client) -> None:
    page = desk.get("/quality/").content.decode()
    assert "Nog niet geteld" in page
    assert 'action="/quality/count/"' in page


def test_each_figure_leads_to_a_selection_of_exactly_those_customers(desk: Client, everybody: None) -> None:
    count_quality(now=NOW)
    seen = 0
    for per in ("branch", "source"):
        for _group, rows in desk.get("/quality/", {"per": per}).context["groups"]:
            for row in rows:
                for link in [row, *row["cells"]]:
                    if link["many"]:
                        rule = parse_qs(urlsplit(link["url"]).query)["rule"][0]
                        assert compile_rule(__import__("json").loads(rule), now=NOW).count() == link["many"]
                        seen += 1
    assert seen > len(WHO) * 2


def test_a_figure_becomes_a_selection_with_one_click(desk: Client, everybody: None) -> None:
    count_quality(now=NOW)
    [row] = [
        row for _group, rows in desk.get("/quality/").context["groups"] for row in rows if row["issue"].code == "moved"
    ]
    page = desk.get(row["url"])
    assert page.context["form"].initial["name"] == "Verhuisd"
    builder = page.context["builder"]
    assert builder.is_valid()
    sent = {"name": "Verhuisd", "description": "", "r__op": "all", "r-0__criterion": "quality.post"}
    answer = desk.post("/selections/new/", {**sent, "r-0-states": ["moved"]})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    assert Selection.objects.get().name == "Verhuisd"


@pytest.mark.parametrize("rule", ["{", "[]", '{"version":1,"op":"all","children":[{"criterion":"x"}]}', "9" * 5000])
def test_a_rule_in_an_address_that_cannot_be_read_leaves_the_builder_empty(desk: Client, rule: str) -> None:
    page = desk.get("/selections/new/", {"rule": rule})
    assert page.status_code == 200
    assert list(page.context["builder"].root.children) == []
    assert "niet te lezen" in page.content.decode()


def test_the_change_in_a_week_and_the_trend_are_shown(desk: Client) -> None:
    well("1", email="")
    count_quality(now=NOW - dt.timedelta(days=3))
    well("2", email="")
    count_quality(now=NOW)
    page = desk.get("/quality/")
    rows = {row["issue"].code: row for _group, rows in page.context["groups"] for row in rows}
    assert (rows["missing_email"]["many"], rows["missing_email"]["change"]) == (2, 1)
    assert page.context["trend"]["datasets"][0]["data"] == [1, 2]


def test_the_page_costs_the_same_however_many_customers(
    desk: Client, everybody: None, django_assert_max_num_queries: Any
) -> None:
    count_quality(now=NOW)
    with django_assert_max_num_queries(12):
        desk.get("/quality/")


def test_counting_now_is_asked_of_a_worker(desk: Client, everybody: None, nudged: Nudged) -> None:
    with nudged():
        assert desk.post("/quality/count/").status_code == 302
    assert QualityCount.objects.filter(issue="missing_email").exists()
    assert desk.get("/quality/count/").status_code == 405


def test_who_may_not_make_selections_sees_figures_without_links(
    make_user: Callable[..., User], client_of: Callable[[User], Client], everybody: None
) -> None:
    from django.contrib.auth.models import Permission

    from common.roles import ensure_roles

    ensure_roles()
    user = make_user(None, "kijker")
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_workbench", "view_customers"]))
    count_quality(now=NOW)
    page = client_of(user).get("/quality/").content.decode()
    assert "Verhuisd" in page
    assert "/selections/new/" not in page


def test_shapes_are_those_that_the_rules_of_names_know() -> None:
    from customers.names import is_email, is_phone, is_postal_code

    customer = well("1")
    point = ContactPoint.objects.get(customer=customer, channel="email")
    for value in ("a@b.nl", "a.b+c@b-d.example.nl", "a@b", "a b@c.nl", "a@b..nl", "é@b.nl", "@b.nl", "a@-b.nl"):
        ContactPoint.objects.filter(pk=point.pk).update(value=value)
        assert bool(found("invalid_email")) != is_email(value), value
    for code in ("1441AB", "0441AB", "1441SA", "1441", "AB1441"):
        Customer.objects.filter(pk=customer.pk).update(postal_code=code)
        assert bool(found("invalid_postal_code")) != is_postal_code(code), code
    phone = ContactPoint.objects.get(customer=customer, channel="phone")
    for value in ("+31612345678", "+3261234567", "0612345678", "+0612345678"):
        ContactPoint.objects.filter(pk=phone.pk).update(value=value)
        assert bool(found("invalid_phone")) != is_phone(value), value


def test_an_active_reader_is_not_stale() -> None:
    reader = well("1", registered_on=dt.date(2010, 1, 1))
    reader.subscriptions.update(ended_on=dt.date(2020, 2, 1))
    assert found("stale") == {"1"}
    from customers.actions import record_fact

    source = SourceFactory()
    record_fact(reader, kind="loan", occurred_at=NOW - dt.timedelta(days=30), source_code=source.code, external_id="1")
    assert found("stale") == set()
    assert FactFactory._meta.model.objects.count() == 1


def test_who_is_absent_counts_for_the_source_that_lost_him(everybody: None) -> None:
    count_quality(now=NOW)
    rows = QualityCount.objects.filter(issue="absent", scope="source").values_list("source__code", "count")
    assert dict(rows) == {"library": 2, "theatre": 1}
