"""The pages about customers: finding them, knowing them, changing them, recording what they allow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.models import Campaign, Enrolment
from common.time import clock, local_date
from customers.actions import change_customer, record_fact
from customers.models import (
    AccessRequest,
    Consent,
    Customer,
    Fact,
    FactTotal,
    Merge,
    Purpose,
    SourceRecord,
    World,
)
from labels.actions import create_label, give_label
from labels.models import Assignment, Label
from mailings.models import Content, Decision, Mailing, Message
from tests.factories import (
    NOW,
    BranchFactory,
    ConsentFactory,
    CustomerFactory,
    FactFactory,
    HouseholdFactory,
    SourceFactory,
    SubscriptionFactory,
    VoucherFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


@pytest.fixture
def viewer(make_user: Callable[..., User], client_of: Callable[[User], Client]) -> Client:
    """Somebody who may look at customers but not change them."""
    from django.contrib.auth.models import Permission

    from common.roles import ensure_roles

    ensure_roles()
    user = make_user(None, "kijker")
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_workbench", "view_customers"]))
    return client_of(user)


@pytest.fixture
def anna() -> Customer:
    customer: Customer = CustomerFactory(
        number="1000001", first_name="Anna", name_prefix="de", last_name="Wit", email="anna@example.nl",
        phone="+31612340001", branch=BranchFactory(code="EDA", name="Edam"), birth_date=dt.date(1980, 3, 14),
    )  # fmt: skip
    return customer


@pytest.fixture
def reader(anna: Customer) -> Customer:
    """Two thousand loans in the past two years, with their totals."""
    source, now = SourceFactory(), clock()
    Fact.objects.bulk_create(
        Fact(
            customer=anna, kind="loan", occurred_at=now - dt.timedelta(hours=8 * number), source=source,
            external_id=str(number), world="reizen" if number % 3 else "spanning", genre="gidsen",
            quantity=1 + number % 3,
        )
        for number in range(2000)
    )  # fmt: skip
    FactTotal.objects.create(
        customer=anna, kind="loan", first_at=now - dt.timedelta(days=667), last_at=now, count=2000, quantity=4000,
        amount_cents=0,
    )  # fmt: skip
    World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})
    return anna


def text(page: Any) -> str:
    return str(page.content.decode())


def mailing(name: str = "Welkomstmail") -> Mailing:
    content = Content.objects.create(name=name, subject=name, updated_at=NOW)
    purpose = Purpose.objects.get(code="marketing")
    return Mailing.objects.create(
        name=name, origin="by hand", due_key=name, purpose=purpose, channels="email", content=content, created_at=NOW
    )


def sent(customer: Customer, name: str = "Welkomstmail", **fields: Any) -> Message:
    one = mailing(name)
    Decision.objects.create(mailing=one, customer=customer, outcome="accepted", channel="email", decided_at=NOW)
    given = {"state": "sent", "sent_at": NOW, "address": "anna@example.nl"} | fields
    return Message.objects.create(
        mailing=one, customer=customer, channel="email", state_at=NOW, next_attempt_at=NOW, **given
    )


# --- the list ---


def test_the_list_shows_customers_by_last_name(desk: Client, anna: Customer) -> None:
    CustomerFactory(first_name="Zoë", last_name="Étienne")
    CustomerFactory(first_name="Bo", last_name="Zwart")
    page = text(desk.get("/customers/"))
    assert page.index("Zoë Étienne") < page.index("Anna de Wit") < page.index("Bo Zwart")
    assert "anna<wbr>@example.nl" in page
    assert "Edam" in page


@pytest.mark.parametrize("words", ["anna de wit", "ana wit", "1000001", "anna@example", "1441ab", "0612340001"])
def test_a_customer_is_found_by_what_one_has_at_hand(desk: Client, anna: Customer, words: str) -> None:
    CustomerFactory(first_name="Bo", last_name="Zwart", postal_code="1135AB")
    page = text(desk.get("/customers/", {"q": words}))
    assert "Anna de Wit" in page
    assert "Bo Zwart" not in page


def test_the_list_narrows_by_kind_and_branch(desk: Client, anna: Customer) -> None:
    CustomerFactory(first_name="Bo", last_name="Zwart", kind="former")
    assert "Anna de Wit" not in text(desk.get("/customers/", {"kind": "former"}))
    page = text(desk.get("/customers/", {"branch": anna.branch_id}))
    assert "Anna de Wit" in page
    assert "Bo Zwart" not in page


def test_htmx_gets_the_table_alone(desk: Client, anna: Customer) -> None:
    page = text(desk.get("/customers/", {"q": "wit"}, headers={"HX-Request": "true"}))
    assert "Anna de Wit" in page
    assert "<html" not in page


def test_the_list_takes_as_many_queries_for_fifty_as_for_one(
    desk: Client, anna: Customer, django_assert_max_num_queries: Any
) -> None:
    CustomerFactory.create_batch(60)
    with django_assert_max_num_queries(7):
        desk.get("/customers/")


def test_a_customer_without_a_name_shows_by_address(desk: Client) -> None:
    CustomerFactory(kind="newsletter", first_name="", initials="", last_name="", email="lezer@example.nl")
    assert ">lezer@example.nl</a>" in text(desk.get("/customers/"))


# --- the page of one customer ---


def test_the_overview_tells_who_it_is(desk: Client, anna: Customer) -> None:
    SubscriptionFactory(customer=anna, name="Leeskring", payment_method="direct_debit")
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "<h1" in page
    for words in (
        "Anna de Wit",
        "1000001",
        "14 maart 1980",
        "anna@example.nl",
        "+31612340001",
        "Lindenlaan",
        "Leeskring",
    ):
        assert words in page


def test_the_overview_shows_the_household(desk: Client, anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(household=HouseholdFactory())
    CustomerFactory(first_name="Kind", last_name="de Wit", household=Customer.objects.get(pk=anna.pk).household)
    CustomerFactory(first_name="Vreemde", last_name="Eend")
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "Kind de Wit" in page
    assert "Vreemde" not in page


def test_the_overview_of_somebody_of_whom_little_is_known_stands(desk: Client) -> None:
    bare = CustomerFactory(
        kind="prospect",
        first_name="",
        initials="",
        email="",
        street="",
        birth_date=None,
        registered_on=None,
        branch=None,
    )
    page = desk.get(f"/customers/{bare.pk}/")
    assert page.status_code == 200
    assert "Het adres is niet volledig" in text(page)


def test_worlds_and_activity_are_counted(desk: Client, reader: Customer) -> None:
    page = desk.get(f"/customers/{reader.pk}/")
    worlds = page.context["worlds"]["rows"]
    assert [row["label"] for row in worlds] == ["Reizen", "Spanning"]
    assert sum(row["value"] for row in worlds) == 2000
    activity = page.context["activity"]
    assert len(activity["labels"]) == 24
    assert sum(activity["datasets"][0]["data"]) == 2000


def test_a_month_begins_at_midnight_in_amsterdam(desk: Client, anna: Customer) -> None:
    today = clock().astimezone(NOW.tzinfo)
    first = today.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    FactFactory(customer=anna, occurred_at=first)
    FactTotal.objects.create(
        customer=anna, kind="loan", first_at=first, last_at=first, count=1, quantity=1, amount_cents=0
    )
    assert desk.get(f"/customers/{anna.pk}/").context["activity"]["datasets"][0]["data"][-1] == 1


def test_two_thousand_facts_cost_no_more_queries_than_one(
    desk: Client, reader: Customer, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        sent(reader, f"mail {number}")
        ConsentFactory(
            customer=reader, purpose=Purpose.objects.get(code="marketing"), event_at=NOW - dt.timedelta(number)
        )
    parts = {"": 40, "timeline/": 22, "data/": 16, "messages/": 12, "consents/": 12, "vouchers/": 9}
    for part, most in parts.items():
        with django_assert_max_num_queries(most):
            assert desk.get(f"/customers/{reader.pk}/{part}").status_code == 200


def test_a_customer_that_does_not_exist_is_not_found(desk: Client) -> None:
    for part in ("", "timeline/", "data/", "messages/", "consents/", "vouchers/", "change/"):
        assert desk.get(f"/customers/999999/{part}").status_code == 404


def test_each_field_tells_whose_word_it_is_and_what_others_say(desk: Client, anna: Customer) -> None:
    for code, rank, phone, day in (("library", 10, "+31612340001", 1), ("theatre", 20, "+31699999999", 2)):
        source = SourceFactory(code=code)
        type(source).objects.filter(pk=source.pk).update(rank=rank)
        SourceRecord.objects.create(
            source=source, key=f"{code}-1", customer=anna, values={"phone": phone, "last_name": "Wit"},
            created_at=dt.datetime(2024, 5, day, tzinfo=NOW.tzinfo), updated_at=NOW,
        )  # fmt: skip
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "Bron van het telefoonnummer; een andere bron zegt iets anders" in page
    assert "sinds 1 mei 2024" in page
    assert "06 99 99 99 99" in page
    data = text(desk.get(f"/customers/{anna.pk}/data/"))
    assert "library-1" in data
    assert "06 99 99 99 99" in data


def test_an_address_that_others_have_too_leads_to_them(desk: Client, anna: Customer) -> None:
    other = CustomerFactory(first_name="Bo", last_name="de Wit", email="anna@example.nl")
    for part in ("", "data/"):
        page = text(desk.get(f"/customers/{anna.pk}/{part}"))
        assert "ook van" in page
        assert f'href="/customers/{other.pk}/"' in page


def test_what_was_paid_is_told_per_year(desk: Client, anna: Customer) -> None:
    this_year = local_date(clock()).year
    for kind, cents, year in (("fee", 5800, this_year), ("fee", 5600, this_year - 1), ("ticket", 4500, this_year)):
        moment = dt.datetime(year, 1, 1, tzinfo=NOW.tzinfo)  # which is over on New Year's Day too
        record_fact(
            anna, kind=kind, occurred_at=moment, source_code="library", external_id=f"{kind}{year}", amount_cents=cents
        )
    value = desk.get(f"/customers/{anna.pk}/").context["value"]
    assert (value["total"], value["this_year"], value["last_year"]) == (15900, 10300, 5600)
    assert value["chart"]["labels"] == [str(this_year - 1), str(this_year)]


def test_labels_that_ended_are_kept_in_sight(desk: Client, anna: Customer) -> None:
    label = create_label(code="oud", name="Oud label", kind="own", by=None, now=NOW)
    Assignment.objects.create(
        label=label, customer=anna, since=NOW - dt.timedelta(days=9), until=NOW, given_by="Anja", reason="proef"
    )
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "1 eerder label" in page
    assert "proef" in page


def test_a_death_is_told_and_news_about_the_address_is_kept_with_its_history(desk: Client, anna: Customer) -> None:
    told = FORM | {"deceased_on": "2026-03-01", "address_state": "returned", "card_number": "290011"}
    assert desk.post(f"/customers/{anna.pk}/change/", told).status_code == 302
    anna.refresh_from_db()
    assert (anna.deceased_on, anna.address_state, anna.card_number) == (dt.date(2026, 3, 1), "returned", "290011")
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "Deze klant is overleden op 1 maart 2026" in page
    assert "is-deceased" in page
    data = text(desk.get(f"/customers/{anna.pk}/data/"))
    assert "Nieuws over dit adres" in data
    assert "Post kwam terug" in data
    moved = told | {"street": "Nieuwstraat", "house_number": "1"}
    assert desk.post(f"/customers/{anna.pk}/change/", moved).status_code == 302
    anna.refresh_from_db()
    assert anna.address_state == ""
    assert "(overleden)" in text(desk.get("/customers/", {"q": "nieuw@example.nl"}))


def test_a_death_in_the_future_is_refused(desk: Client, anna: Customer) -> None:
    answer = desk.post(f"/customers/{anna.pk}/change/", FORM | {"deceased_on": "2999-01-01"})
    assert answer.status_code == 422
    assert answer.context["form"].errors["deceased_on"]


def test_the_page_of_somebody_who_was_merged_leads_to_who_was_kept(desk: Client, anna: Customer) -> None:
    gone = CustomerFactory()
    Customer.objects.filter(pk=gone.pk).update(merged_into=anna)
    for part in ("", "timeline/", "data/"):
        assert desk.get(f"/customers/{gone.pk}/{part}")["Location"] == f"/customers/{anna.pk}/{part}"


# --- the timeline ---


def test_the_timeline_holds_everything_in_order(desk: Client, anna: Customer) -> None:
    FactFactory(customer=anna, occurred_at=NOW - dt.timedelta(days=4), world="reizen", quantity=3)
    FactTotal.objects.create(customer=anna, kind="loan", first_at=NOW, last_at=NOW, count=1, quantity=3, amount_cents=0)
    ConsentFactory(customer=anna, purpose=Purpose.objects.get(code="marketing"), event_at=NOW - dt.timedelta(days=3))
    VoucherFactory(customer=anna, issued_at=NOW - dt.timedelta(days=2))
    sent(anna, sent_at=NOW - dt.timedelta(days=1))
    page = desk.get(f"/customers/{anna.pk}/timeline/")
    titles = [moment.title for moment in moments(page)]
    assert titles[0] == "Welkomstmail"
    assert titles[1].startswith("Kreeg de bon")
    assert titles[2] == "Ja: Aanbiedingen en activiteiten"
    assert titles[3] == "Leende"
    assert "3 stuks" in text(page)


def test_a_visit_of_the_website_counts_pages(desk: Client, anna: Customer) -> None:
    FactFactory(customer=anna, kind="visit", sector="web", world="", genre="", quantity=3, branch=None)
    FactTotal.objects.create(
        customer=anna, kind="visit", first_at=NOW, last_at=NOW, count=1, quantity=3, amount_cents=0
    )
    moment = desk.get(f"/customers/{anna.pk}/timeline/").context["page"].moments[0]
    assert (moment.title, moment.text) == ("Bezocht de website", "3 pagina's")


def moments(page: Any) -> list[Any]:
    return list(page.context["page"].moments)


def all_moments(desk: Client, customer: Customer, **query: str) -> list[Any]:
    """Follow "more" until there is no more."""
    found: list[Any] = []
    before: dict[str, str] = {}
    while True:
        page = desk.get(f"/customers/{customer.pk}/timeline/", query | before)
        found += moments(page)
        if not page.context["page"].next:
            return found
        before = {"before": str(page.context["page"].next)}


def test_the_timeline_narrows_to_one_kind(desk: Client, reader: Customer) -> None:
    sent(reader)
    page = desk.get(f"/customers/{reader.pk}/timeline/", {"kind": "message"})
    assert [moment.title for moment in moments(page)] == ["Welkomstmail"]
    page = desk.get(f"/customers/{reader.pk}/timeline/", {"kind": "loan"})
    assert len(moments(page)) == 25
    assert {moment.title for moment in moments(page)} == {"Leende"}


def test_the_timeline_tells_what_came_from_the_customer_from_what_went_to_him(desk: Client, anna: Customer) -> None:
    days = (NOW - dt.timedelta(days=day) for day in range(1, 9))
    FactFactory(customer=anna, occurred_at=next(days))
    FactFactory(customer=anna, kind="call", occurred_at=next(days))  # we called
    ConsentFactory(customer=anna, purpose=Purpose.objects.get(code="marketing"), event_at=next(days))
    VoucherFactory(customer=anna, issued_at=next(days))
    sent(anna, sent_at=next(days))
    SubscriptionFactory(customer=anna)
    came = [moment.title for moment in all_moments(desk, anna, kind="inbound")]
    assert came == ["Leende", "Ja: Aanbiedingen en activiteiten"]
    went = [moment.title for moment in all_moments(desk, anna, kind="outbound")]
    assert went[0].startswith("Kreeg de bon")
    assert went[1:] == ["Welkomstmail"]
    assert len(all_moments(desk, anna)) > len(came) + len(went)
    assert "Van de klant naar ons" in text(desk.get(f"/customers/{anna.pk}/timeline/"))


def test_the_timeline_narrows_by_world_source_and_period(desk: Client, reader: Customer) -> None:
    sent(reader)
    FactFactory(customer=reader, kind="ticket", source=SourceFactory(code="theatre"), occurred_at=NOW)
    assert len(all_moments(desk, reader, kind="ticket", source="theatre")) == 1
    assert len(all_moments(desk, reader, source="mailings")) == 1
    worlds = all_moments(desk, reader, world="spanning", start="2026-01-01")
    first = dt.datetime(2026, 1, 1, tzinfo=NOW.tzinfo)
    assert len(worlds) == Fact.objects.filter(world="spanning", occurred_at__gte=first).count()
    day = clock().date() - dt.timedelta(days=5)
    shown = all_moments(desk, reader, start=day.isoformat(), end=day.isoformat(), kind="fact")
    assert {moment.when.astimezone(NOW.tzinfo).date() for moment in shown} == {day}


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "../etc"}, {"start": "gisteren"}, {"before": "x"}, {"before": "2026-13-40~fact~1"},
        {"before": f"{NOW.isoformat()}~fact~{'9' * 40}"}, {"before": "2026-01-01T00:00:00~fact~1"},
        {"world": "'; --"}, {"source": "nergens", "page": "-3"},
    ],
)  # fmt: skip
def test_what_does_not_fit_shows_everything(desk: Client, reader: Customer, query: dict[str, str]) -> None:
    assert len(moments(desk.get(f"/customers/{reader.pk}/timeline/", query))) == 25


def test_stretches_of_the_timeline_hold_every_moment_once(desk: Client, anna: Customer) -> None:
    moment = NOW - dt.timedelta(days=3)
    facts = FactFactory.create_batch(60, customer=anna, occurred_at=moment)
    VoucherFactory.create_batch(3, customer=anna, issued_at=moment)
    label = create_label(code="proef", name="Proef", kind="own", by=None, now=NOW)
    Assignment.objects.create(label=label, customer=anna, since=moment, until=moment, given_by="Ik")
    sent(anna, sent_at=moment)
    SubscriptionFactory(customer=anna, started_on=dt.date(2020, 1, 1), ended_on=dt.date(2021, 1, 1))
    titles = [one.title for one in all_moments(desk, anna)]
    assert titles.count("Leende") == len(facts)
    assert len(titles) == 60 + 3 + 2 + 1 + 2


def test_more_adds_to_the_line_by_htmx(desk: Client, reader: Customer) -> None:
    page = desk.get(f"/customers/{reader.pk}/timeline/")
    key = str(page.context["page"].next)
    assert f"before={quote(key)}" in text(page).replace("&amp;", "&")
    more = text(desk.get(f"/customers/{reader.pk}/timeline/", {"before": key}, headers={"HX-Request": "true"}))
    assert more.count('class="moment"') == 25
    assert "<html" not in more
    assert 'hx-swap-oob="true"' in more
    whole = text(desk.get(f"/customers/{reader.pk}/timeline/", {"before": key}))
    assert "Terug naar het nieuwste" in whole


def test_all_that_happens_to_a_customer_is_on_the_line(desk: Client, anna: Customer, marketeer: User) -> None:
    Decision.objects.create(mailing=mailing("Zomeractie"), customer=anna, outcome="objection", decided_at=NOW)
    label = create_label(code="proef", name="Proef", kind="own", by=None, now=NOW)
    give_label(label, Customer.objects.filter(pk=anna.pk), by="Anja", now=NOW)
    change_customer(anna, city="Edam", by=marketeer, now=NOW)
    SubscriptionFactory(customer=anna, name="Leeskring")
    lost = CustomerFactory(number="99")
    Merge.objects.create(kept=anna, absorbed=lost, merged_by="Anja", merged_at=NOW, undone_at=NOW, undone_by="Piet")
    SourceRecord.objects.create(
        source=SourceFactory(code="theatre"), key="T-9", customer=anna, values={"phone": "+31612340009"},
        changed={"phone": (NOW - dt.timedelta(days=1)).isoformat()}, created_at=NOW - dt.timedelta(days=9),
        updated_at=NOW,
    )  # fmt: skip
    AccessRequest.objects.create(customer=anna, asked_by="customer", asked_at=NOW)
    titles = "\n".join(moment.title for moment in all_moments(desk, anna))
    for words in (
        "Niet verstuurd: Zomeractie", "Kreeg het label", "Gewijzigd: ", "Abonnement begonnen: Leeskring",
        "Samengevoegd met klant 99", "Samenvoeging met klant 99 ongedaan gemaakt", "zegt iets nieuws",
        "Voor het eerst aangeleverd door", "Vroeg een kopie",
    ):  # fmt: skip
        assert words in titles, words


# --- messages and campaigns ---


def test_messages_tell_what_was_not_sent_and_why(desk: Client, anna: Customer) -> None:
    sent(anna)
    Decision.objects.create(
        mailing=mailing("Zomeractie"), customer=anna, outcome="objection", decided_at=NOW - dt.timedelta(days=1)
    )
    page = text(desk.get(f"/customers/{anna.pk}/messages/"))
    assert page.index("Welkomstmail") < page.index("Zomeractie")
    assert "Niet verstuurd" in page
    assert "Maakte bezwaar tegen" in page


def test_messages_tell_the_rule_and_what_holds_them_back(desk: Client, anna: Customer) -> None:
    held, paused = mailing("Vast deel"), mailing("Gepauzeerd")
    Decision.objects.create(mailing=held, customer=anna, outcome="hold_out", rule="5", decided_at=NOW)
    Decision.objects.create(mailing=paused, customer=anna, outcome="accepted", basis="consent", decided_at=NOW)
    ahead = clock() + dt.timedelta(days=2)
    message = Message.objects.create(
        mailing=paused, customer=anna, channel="email", address="a@example.nl", state_at=NOW, next_attempt_at=ahead
    )
    page = text(desk.get(f"/customers/{anna.pk}/messages/"))
    assert "5% krijgt niets dan serviceberichten" in page
    assert "zei ja tegen" in page
    assert "Gaat weg vanaf" in page
    Mailing.objects.filter(pk=paused.pk).update(state="paused")
    page = text(desk.get(f"/customers/{anna.pk}/messages/"))
    assert "De mailing staat op pauze" in page
    assert "Gaat weg vanaf" not in page
    Message.objects.filter(pk=message.pk).update(state="withdrawn", withdrawn_because="no_permission")
    assert "Heeft intussen nee gezegd" in text(desk.get(f"/customers/{anna.pk}/messages/"))


def test_the_words_of_a_mail_server_are_shown(desk: Client, anna: Customer) -> None:
    sent(anna, state="failed", sent_at=None, reply="550 5.1.1 no such user")
    assert "550 5.1.1 no such user" in text(desk.get(f"/customers/{anna.pk}/messages/"))


def test_campaigns_taken_part_in_are_shown(desk: Client, anna: Customer) -> None:
    campaign = Campaign.objects.create(name="Welkom", kind="welcome", created_at=NOW)
    Enrolment.objects.create(campaign=campaign, customer=anna, entered_on=NOW.date(), entered_by="trigger")
    page = text(desk.get(f"/customers/{anna.pk}/messages/"))
    assert "Welkom" in page
    assert str(Enrolment.State.ACTIVE.label) in page


def test_vouchers_are_shown_with_their_state(desk: Client, anna: Customer) -> None:
    VoucherFactory(customer=anna, valid_until=clock().date() + dt.timedelta(days=1))
    VoucherFactory(customer=anna, valid_from=dt.date(2020, 1, 1), valid_until=dt.date(2020, 2, 1))
    VoucherFactory(customer=CustomerFactory(), code="ZZZZZZZZZZ")
    page = text(desk.get(f"/customers/{anna.pk}/vouchers/"))
    assert "Verlopen" in page
    assert "ZZZZZZZZZZ" not in page


# --- consents ---

SAID = {"channel": "email", "state": "withdrawn", "source": "phone", "wording_version": "2026-1", "note": "belde zelf"}


def say(client: Client, customer: Customer, **fields: Any) -> Any:
    purpose = Purpose.objects.get(code=fields.pop("purpose", "marketing"))
    return client.post(f"/customers/{customer.pk}/consents/record/", {**SAID, "purpose": purpose.pk, **fields})


def test_what_holds_is_explained_with_the_ledger(desk: Client, anna: Customer) -> None:
    ConsentFactory(customer=anna, purpose=Purpose.objects.get(code="marketing"), event_at=NOW, wording_version="2024-3")
    page = text(desk.get(f"/customers/{anna.pk}/consents/"))
    assert "zei ja op 15 juni 2026" in page
    assert "2024-3" in page
    assert "heeft hier nooit ja op gezegd" in page


def test_what_was_said_by_phone_is_recorded(desk: Client, anna: Customer) -> None:
    answer = say(desk, anna)
    assert answer.status_code == 302
    consent = Consent.objects.get()
    assert (consent.customer, consent.channel, consent.state) == (anna, "email", "withdrawn")
    assert (consent.source.code, consent.actor, consent.wording_version) == ("phone", "marketeer", "2026-1")
    assert consent.evidence == {"note": "belde zelf"}
    assert abs(consent.event_at - clock()) < dt.timedelta(minutes=1)


def test_an_objection_over_all_channels_is_a_row_each(desk: Client, anna: Customer) -> None:
    say(desk, anna, channel="all", state="objected", event_at="2026-06-01T14:30")
    assert set(Consent.objects.values_list("channel", flat=True)) == {"email", "post", "phone", "sms"}
    assert set(Consent.objects.values_list("event_at", flat=True)) == {
        dt.datetime(2026, 6, 1, 14, 30, tzinfo=NOW.tzinfo)
    }


def test_for_an_opt_in_purpose_all_channels_means_email(desk: Client, anna: Customer) -> None:
    say(desk, anna, channel="all", purpose="newsletter")
    assert list(Consent.objects.values_list("channel", flat=True)) == ["email"]


@pytest.mark.parametrize("wrong", [{"state": ""}, {"state": "perhaps"}, {"channel": "fax"}, {"source": "gossip"}])
def test_a_consent_without_meaning_comes_back(desk: Client, anna: Customer, wrong: dict[str, str]) -> None:
    answer = say(desk, anna, **wrong)
    assert answer.status_code == 422
    assert "belde zelf" in text(answer)
    assert not Consent.objects.exists()


def test_a_consent_cannot_be_said_in_the_future(desk: Client, anna: Customer) -> None:
    answer = say(desk, anna, event_at="2999-01-01T12:00")
    assert answer.status_code == 422
    assert "Dit ligt in de toekomst" in text(answer)


def test_looking_changes_nothing(desk: Client, anna: Customer) -> None:
    assert desk.get(f"/customers/{anna.pk}/consents/record/").status_code == 405
    assert not Consent.objects.exists()


def test_who_may_only_look_sees_no_forms_and_can_change_nothing(viewer: Client, anna: Customer) -> None:
    page = text(viewer.get(f"/customers/{anna.pk}/consents/"))
    assert "Vastleggen wat de klant zei" not in page
    assert say(viewer, anna).status_code == 403
    for url in ("change/", "labels/give/"):
        assert viewer.post(f"/customers/{anna.pk}/{url}", {}).status_code == 403
    assert viewer.get("/customers/new/").status_code == 403
    assert not Consent.objects.exists()


# --- adding and changing ---

FORM = {
    "kind": "member", "first_name": "Anna", "name_prefix": "de", "last_name": "Wit", "birth_date": "1980-03-14",
    "gender": "f", "email": "nieuw@example.nl", "phone": "06-12340001", "street": "Dijk", "house_number": "3",
    "postal_code": "1135 ab", "city": "Edam",
}  # fmt: skip


def test_a_customer_is_changed_and_the_change_is_shown(desk: Client, anna: Customer) -> None:
    form = text(desk.get(f"/customers/{anna.pk}/change/"))
    assert 'value="1441 AB"' in form
    assert 'value="1980-03-14"' in form
    assert 'value="anna@example.nl"' in form
    answer = desk.post(f"/customers/{anna.pk}/change/", FORM)
    assert answer["Location"] == f"/customers/{anna.pk}/"
    anna.refresh_from_db()
    assert (anna.street, anna.postal_code, anna.gender) == ("Dijk", "1135AB", "f")
    page = text(desk.get(f"/customers/{anna.pk}/data/"))
    assert "nieuw<wbr>@example.nl" in page
    assert "<s>anna@example.nl</s>" in page
    assert "marketeer" in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "nieuw(at)example.nl", "geen volledig e-mailadres"),
        ("phone", "12", "geen volledig telefoonnummer"),
        ("postal_code", "1135", "Schrijf een postcode als 1441 AB"),
        ("birth_date", "2999-01-01", "tussen 1900 en vandaag"),
    ],
)
def test_a_wrong_value_comes_back_with_what_to_do(
    desk: Client, anna: Customer, field: str, value: str, words: str
) -> None:
    answer = desk.post(f"/customers/{anna.pk}/change/", {**FORM, field: value})
    assert answer.status_code == 422
    assert words in text(answer)
    anna.refresh_from_db()
    assert anna.street == "Lindenlaan"


def test_a_customer_needs_a_name_or_an_address(desk: Client, anna: Customer) -> None:
    answer = desk.post(f"/customers/{anna.pk}/change/", {**FORM, "last_name": "", "email": ""})
    assert answer.status_code == 422
    assert desk.post(f"/customers/{anna.pk}/change/", {**FORM, "last_name": ""}).status_code == 302


def test_a_customer_is_added_under_a_free_number(desk: Client, anna: Customer) -> None:
    assert desk.post("/customers/new/", {**FORM, "number": "1000001"}).status_code == 422
    answer = desk.post("/customers/new/", {**FORM, "number": "1000002"})
    added = Customer.objects.get(number="1000002")
    assert answer["Location"] == f"/customers/{added.pk}/"


def test_names_are_text_and_never_markup(desk: Client) -> None:
    evil = CustomerFactory(
        first_name="<script>alert(1)</script>", last_name='"><img src=x onerror=alert(1)>', city="{{ 7|add:7 }}"
    )
    FactFactory(customer=evil, genre="<b>genre</b>")
    for url in (
        "/customers/",
        f"/customers/{evil.pk}/",
        f"/customers/{evil.pk}/timeline/",
        f"/customers/{evil.pk}/change/",
    ):
        page = text(desk.get(url))
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>genre" not in page


# --- labels ---


@pytest.fixture
def label(marketeer: User) -> Label:
    return create_label(code="leeskring", name="Leeskring", kind="own", by=marketeer, now=NOW)


def test_an_own_label_is_given_and_taken(desk: Client, anna: Customer, label: Label) -> None:
    assert "Leeskring" in text(desk.get(f"/customers/{anna.pk}/"))
    desk.post(f"/customers/{anna.pk}/labels/give/", {"label": label.pk})
    assert Assignment.objects.open().get().customer == anna
    page = text(desk.get(f"/customers/{anna.pk}/"))
    assert "Het label Leeskring weghalen" in page
    desk.post(f"/customers/{anna.pk}/labels/{label.pk}/take/")
    assert not Assignment.objects.open().exists()
    assert Assignment.objects.get().taken_by == "marketeer"


def test_a_label_of_the_system_is_not_given_by_hand(desk: Client, anna: Customer) -> None:
    system = Label.objects.create(code="x", name="Berekend", kind="system", created_at=NOW)
    answer = desk.post(f"/customers/{anna.pk}/labels/give/", {"label": system.pk}, follow=True)
    assert "Kies eerst een label" in text(answer)
    assert not Assignment.objects.exists()
    Assignment.objects.create(label=system, customer=anna, since=NOW, given_by="system")
    answer = desk.post(f"/customers/{anna.pk}/labels/{system.pk}/take/", follow=True)
    assert "wordt door het product berekend" in text(answer)
    assert Assignment.objects.open().filter(customer=anna).exists()


def test_only_one_customer_gets_the_label(desk: Client, anna: Customer, label: Label) -> None:
    other = CustomerFactory()
    give_label(label, Customer.objects.filter(pk=other.pk), by="x", now=NOW)
    desk.post(f"/customers/{anna.pk}/labels/give/", {"label": label.pk})
    desk.post(f"/customers/{anna.pk}/labels/{label.pk}/take/")
    assert Assignment.objects.open().get().customer == other
