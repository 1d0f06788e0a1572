import datetime as dt
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import translation

from common.errors import Refused
from customers.consents import record_consent
from customers.models import Customer, Purpose
from mailings import gate, gate_statement
from mailings.actions import (
    change_sending_settings,
    decide_about_waiting,
    release_suppression,
    save_cap_rule,
    start_mailing,
    suppress_address,
)
from mailings.models import CapRule, Content, Decision, Mailing, Message, SendingSettings
from mailings.wording import words_of
from tests.factories import ConsentFactory, ContactPointFactory, CustomerFactory, SubscriptionFactory, limit_messages

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]


def outcomes(mailing: Mailing) -> dict[int, str]:
    return dict(Decision.objects.filter(mailing=mailing).values_list("customer", "outcome"))


def outcome_of(customer: Customer, mailing: Mailing) -> str:
    return outcomes(mailing)[customer.pk]


def test_every_candidate_gets_one_decision_and_every_yes_one_message(start: Start, reader: Reader) -> None:
    yes, silent = reader(), CustomerFactory(kind="prospect")
    mailing = start()
    assert outcomes(mailing) == {yes.pk: "accepted", silent.pk: "no_permission"}
    message = Message.objects.get(mailing=mailing)
    assert (message.customer, message.address, message.state) == (yes, f"klant{yes.number}@example.nl", "queued")


@pytest.mark.parametrize("code", ["profiling", "open_tracking"])
def test_nothing_is_sent_for_a_purpose_that_is_about_data(start: Start, reader: Reader, code: str) -> None:
    purpose = Purpose.objects.get(code=code)
    ConsentFactory(customer=reader(), purpose=purpose)
    with pytest.raises(Refused) as refused:
        start(purpose=purpose)
    assert (refused.value.code, refused.value.field) == ("processing", "purpose")
    assert not Mailing.objects.exists()


def test_a_decision_keeps_its_legal_basis(start: Start, reader: Reader) -> None:
    said_yes, pays = reader(), CustomerFactory()
    SubscriptionFactory(customer=pays)
    mailing = start()
    bases = dict(Decision.objects.filter(mailing=mailing).values_list("customer", "basis"))
    assert bases == {said_yes.pk: "consent", pays.pk: "customer_relation"}


@pytest.mark.parametrize(("state", "outcome"), [("withdrawn", "withdrawn"), ("objected", "objection")])
def test_a_no_is_told_apart_from_silence(
    start: Start, reader: Reader, marketing: Purpose, now: dt.datetime, state: str, outcome: str
) -> None:
    customer = reader()
    ConsentFactory(customer=customer, purpose=marketing, state=state, event_at=now - dt.timedelta(hours=1))
    assert outcome_of(customer, start()) == outcome


def test_without_an_email_address_there_is_no_email(start: Start, reader: Reader) -> None:
    customer = reader(email="")
    assert outcome_of(customer, start()) == "no_address"
    assert Decision.objects.get(customer=customer).channel == ""


def test_a_letter_goes_only_to_who_has_no_usable_email_address(start: Start, reader: Reader, now: dt.datetime) -> None:
    with_email, without_email, bounced = reader(), reader(email=""), reader(email="weg@example.nl")
    nowhere = reader(email="", street="")
    suppress_address("weg@example.nl", now=now)
    mailing = start(channels="email_or_letter")
    found = dict(Decision.objects.filter(mailing=mailing).values_list("customer", "channel"))
    assert found == {with_email.pk: "email", without_email.pk: "post", bounced.pk: "post", nowhere.pk: ""}
    assert outcome_of(nowhere, mailing) == "no_address"


def test_who_refused_email_does_not_get_paper_instead(
    start: Start, reader: Reader, marketing: Purpose, now: dt.datetime
) -> None:
    customer = reader()
    ConsentFactory(customer=customer, purpose=marketing, state="withdrawn", event_at=now - dt.timedelta(hours=1))
    assert outcome_of(customer, start(channels="email_or_letter")) == "withdrawn"


def test_letters_need_a_complete_address(start: Start, reader: Reader) -> None:
    complete, incomplete = reader(), reader(city="")
    mailing = start(channels="letter")
    assert outcomes(mailing) == {complete.pk: "accepted", incomplete.pk: "no_address"}
    assert Decision.objects.get(customer=complete).basis == "legitimate_interest"


def test_a_suppressed_address_is_not_used_until_it_is_released(start: Start, reader: Reader, now: dt.datetime) -> None:
    customer = reader(email="vol@example.nl")
    suppression = suppress_address("VOL@example.nl", now=now)
    assert outcome_of(customer, start()) == "suppressed"
    release_suppression(suppression, now=now)
    assert outcome_of(customer, start()) == "accepted"


@pytest.mark.parametrize(
    ("birth_date", "outcome"),
    [
        (dt.date(2010, 6, 16), "under_age"),  # turns 16 tomorrow
        (dt.date(2010, 6, 15), "accepted"),  # turns 16 today
        (None, "accepted"),
    ],
)
def test_marketing_waits_for_the_minimum_age(
    start: Start, reader: Reader, birth_date: dt.date | None, outcome: str
) -> None:
    assert outcome_of(reader(birth_date=birth_date), start()) == outcome


def test_on_a_leap_day_nobody_is_taken_for_older(start: Start, reader: Reader) -> None:
    younger, older = reader(birth_date=dt.date(2011, 3, 1)), reader(birth_date=dt.date(2011, 2, 28))
    change_sending_settings(minimum_age=17)
    mailing = start(now=dt.datetime(2028, 2, 29, 12, tzinfo=dt.UTC))
    assert outcomes(mailing) == {younger.pk: "under_age", older.pk: "accepted"}


def test_the_control_group_is_a_stable_share(start: Start, readers: Callable[[int], list[Customer]]) -> None:
    readers(200)
    limit_messages(0)
    change_sending_settings(hold_out_percent=20)
    first, second = start(), start()
    held = {customer for customer, outcome in outcomes(first).items() if outcome == "hold_out"}
    assert 10 <= len(held) <= 80  # 40 is to be expected; further away once in millions of runs
    assert held == {customer for customer, outcome in outcomes(second).items() if outcome == "hold_out"}


def test_who_had_enough_messages_lately_gets_no_more(start: Start, reader: Reader, now: dt.datetime) -> None:
    customer = reader()
    assert [outcome_of(customer, start()) for _ in range(4)] == ["accepted"] * 3 + ["frequency_cap"]
    later = now + dt.timedelta(days=8)
    Message.objects.update(state="sent", sent_at=now)
    Mailing.objects.update(state="finished", finished_at=now)
    assert outcome_of(customer, start(now=later)) == "accepted"


def test_what_failed_or_was_withdrawn_does_not_count_for_the_cap(start: Start, reader: Reader) -> None:
    customer = reader()
    for state in ("failed", "withdrawn", "failed"):
        start()
        Message.objects.filter(state="queued").update(state=state)
    assert outcome_of(customer, start()) == "accepted"


def test_one_mail_per_mailbox(start: Start, reader: Reader) -> None:
    mother, child = reader(email="gezin@example.nl"), reader(email="")
    ContactPointFactory(customer=child, value="gezin@example.nl")
    assert outcomes(start()) == {mother.pk: "accepted", child.pk: "duplicate"}


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("Jan@example.nl", "jan@EXAMPLE.nl", True),
        ("jan@example.nl", "jan+bieb@example.nl", True),
        ("jan+kind1@example.nl", "jan+kind2@example.nl", True),
        ("j.an.s@gmail.com", "jans+boek@googlemail.com", True),
        ("j.ans@example.nl", "jans@example.nl", False),  # only there dots say nothing
        ("+jan@example.nl", "+piet@example.nl", False),
        ("jan@example.nl", "jan@example.com", False),
    ],
)
def test_a_mailbox_with_several_addresses_gets_one_mail(
    start: Start, reader: Reader, first: str, second: str, is_one: bool
) -> None:
    one, other = reader(email=first), reader(email=second)
    found = outcomes(start())
    assert (found[one.pk], found[other.pk]) == ("accepted", "duplicate" if is_one else "accepted")


def test_who_waited_is_no_second_one_at_a_mailbox(
    start: Start, reader: Reader, marketing: Purpose, now: dt.datetime
) -> None:
    limit_messages(1, days=7, wait_days=30)
    waits = reader(email="jan+kind@example.nl")
    start(waits)
    Message.objects.update(state="sent", sent_at=now)
    has = reader(email="jan@example.nl")
    mailing = start(waits, has)
    assert outcomes(mailing) == {waits.pk: "waits", has.pk: "accepted"}
    later = now + dt.timedelta(days=8)
    decide_about_waiting(now=later)
    assert outcomes(mailing)[waits.pk] == "duplicate"


def test_a_decision_names_the_rule_that_it_follows_from(
    start: Start, reader: Reader, readers: Any, marketing: Purpose, now: dt.datetime
) -> None:
    child, parents_yes = reader(birth_date=dt.date(2015, 1, 1)), reader()
    CapRule.objects.all().delete()
    save_cap_rule(None, purpose=marketing, channel="email", messages=1, days=30)
    change_sending_settings(minimum_age=18, wait_days=0)
    rules = dict(start().decisions.values_list("customer", "rule"))
    assert rules == {child.pk: "18", parents_yes.pk: ""}
    again = start().decisions.get(customer=parents_yes)
    assert (again.outcome, again.rule) == ("frequency_cap", "1/30/own/email")
    readers(60)
    change_sending_settings(hold_out_percent=30)
    held = start(hold_out=gate.HoldOut(30, "action:1")).decisions.filter(outcome="hold_out")
    assert set(held.values_list("rule", flat=True)) == {"30", "30/own"}


@pytest.mark.parametrize(
    ("outcome", "rule", "words"),
    [
        ("accepted", "", "Mag bereikt worden: zei ja tegen “Nieuws”."),
        ("no_permission", "", "Voor “Nieuws” is toestemming nodig, en die was er niet."),
        ("under_age", "16", "Was jonger dan 16, de laagste leeftijd voor deze berichten."),
        ("under_age", "", "Is een kind dat zelf ja zei; dat moet een ouder doen."),
        ("hold_out", "5", "In de algemene controlegroep: 5% krijgt niets dan serviceberichten."),
        ("hold_out", "10/own", "In de controlegroep van deze actie, campagne of nieuwsbrief: 10% krijgt er niets van."),
        ("frequency_cap", "3/7//email",
         "Had genoeg gehad, en er kwam niet op tijd een beurt. De limiet: 3 berichten in 7 dagen, e-mail."),
        ("waits", "1/3/own/",
         "Heeft voorlopig genoeg gehad, en wacht op een beurt. De limiet: 1 bericht in 3 dagen, voor dit doel."),
        ("frequency_cap", "", "Heeft kort geleden genoeg berichten gehad"),  # from before rules were kept
    ],
)  # fmt: skip
def test_a_decision_is_told_in_words(outcome: str, rule: str, words: str) -> None:
    with translation.override("nl"):
        assert words_of(Decision(outcome=outcome, rule=rule, basis="consent"), purpose="Nieuws") == words


def test_every_outcome_has_words(db: None) -> None:
    with translation.override("nl"):
        told = {one: words_of(Decision(outcome=one, rule=""), purpose="Nieuws") for one in Decision.Outcome.values}
    assert len(set(told.values())) == len(told)
    assert not [one for one, words in told.items() if "%(" in words]


def test_who_may_not_be_reached_does_not_take_the_place_of_who_may(
    start: Start, reader: Reader, marketing: Purpose, now: dt.datetime
) -> None:
    refuses, accepts = reader(email="samen@example.nl"), reader(email="samen@example.nl")
    ConsentFactory(customer=refuses, purpose=marketing, state="objected", event_at=now - dt.timedelta(hours=1))
    assert outcomes(start()) == {refuses.pk: "objection", accepts.pk: "accepted"}


def test_letters_to_one_address_are_all_sent(start: Start, reader: Reader) -> None:
    reader(street="Dorpsstraat", house_number="1"), reader(street="Dorpsstraat", house_number="1")
    assert Counter(outcomes(start(channels="letter")).values()) == {"accepted": 2}


def test_service_mail_skips_age_control_group_and_cap(start: Start, reader: Reader, service: Purpose) -> None:
    child = reader(birth_date=dt.date(2018, 1, 1))
    limit_messages(1)
    change_sending_settings(hold_out_percent=50)
    assert [outcome_of(child, start(purpose=service)) for _ in range(3)] == ["accepted"] * 3


def test_service_mail_does_not_use_up_the_cap(start: Start, reader: Reader, service: Purpose) -> None:
    customer = reader()
    limit_messages(1)
    start(purpose=service)
    assert outcome_of(customer, start()) == "accepted"


def test_who_died_or_may_not_be_used_gets_no_message_of_service_either(
    start: Start, reader: Reader, service: Purpose, now: dt.datetime
) -> None:
    deceased, restricted, both = (
        reader(deceased_on=now.date()),
        reader(restricted_at=now),
        reader(deceased_on=now.date(), restricted_at=now),
    )
    expected = {deceased.pk: "deceased", restricted.pk: "restricted", both.pk: "restricted"}
    assert outcomes(start()) == outcomes(start(purpose=service)) == expected


@pytest.mark.parametrize("state", ["moved", "returned"])
def test_no_letter_goes_to_where_somebody_has_left(start: Start, reader: Reader, state: str) -> None:
    customer = reader(address_state=state)
    assert outcome_of(customer, start(channels="letter")) == "post_returned"
    assert outcome_of(customer, start(channels="email_or_letter")) == "accepted"
    unreachable = reader(address_state=state, email="")
    assert outcome_of(unreachable, start(channels="email_or_letter")) == "post_returned"
    assert outcome_of(unreachable, start(channels="email")) == "no_address"


def test_a_child_that_said_yes_itself_is_too_young_whatever_the_minimum_age(
    start: Start, marketing: Purpose, now: dt.datetime
) -> None:
    change_sending_settings(minimum_age=0)
    child = CustomerFactory(birth_date=dt.date(2014, 1, 1))
    ConsentFactory(customer=child, purpose=marketing)
    assert outcome_of(child, start()) == "under_age"
    ConsentFactory(customer=child, purpose=marketing, event_at=now - dt.timedelta(days=1), guardian_id=1)
    assert outcome_of(child, start()) == "accepted"


def test_reasons_are_asked_in_order(start: Start, reader: Reader, marketing: Purpose, now: dt.datetime) -> None:
    """Somebody to whom every obstacle applies: taking away the first shows the next."""
    everything = reader(email="", birth_date=dt.date(2018, 1, 1))
    limit_messages(1)
    change_sending_settings(hold_out_percent=50)
    while not held_out(everything):
        everything = reader(email="", birth_date=dt.date(2018, 1, 1))
    ConsentFactory(customer=everything, purpose=marketing, state="withdrawn", event_at=now - dt.timedelta(hours=2))
    suppress_address("a@example.nl", now=now)
    seen = [outcome_of(everything, start(everything))]
    yes_at = now - dt.timedelta(hours=1)
    ConsentFactory(customer=everything, purpose=marketing, state="granted", event_at=yes_at, guardian_id=1)
    seen.append(outcome_of(everything, start(everything)))
    ContactPointFactory(customer=everything, value="a@example.nl")
    seen.append(outcome_of(everything, start(everything)))
    release_suppression(suppress_address("a@example.nl", now=now), now=now)
    seen.append(outcome_of(everything, start(everything)))
    change_sending_settings(minimum_age=0)
    seen.append(outcome_of(everything, start(everything)))
    change_sending_settings(hold_out_percent=0)
    first = reader(email="a@example.nl")
    seen += [outcome_of(everything, start(first, everything)), outcome_of(everything, start(everything))]
    seen.append(outcome_of(everything, start(everything)))
    assert seen == [
        "withdrawn", "no_address", "suppressed", "under_age", "hold_out", "accepted", "frequency_cap", "frequency_cap",
    ]  # fmt: skip


def held_out(customer: Customer) -> bool:
    with connection.cursor() as cursor:
        hashed = gate_statement.HASH.replace("reachable.customer_id", str(customer.pk))
        cursor.execute(f"SELECT {hashed} < 50", [])
        return bool(cursor.fetchone()[0])


def test_a_preview_says_what_will_be_decided_and_writes_nothing(
    start: Start, reader: Reader, marketing: Purpose, now: dt.datetime
) -> None:
    _crowd(reader, marketing, now)
    everybody = Customer.objects.all()
    expected = gate.preview(gate.Terms(marketing, "email_or_letter"), candidates=everybody, now=now)
    assert not Decision.objects.exists()
    decided = outcomes(start(channels="email_or_letter"))
    assert Counter(decided.values()) == expected
    assert sum(expected.values()) == Customer.objects.count()
    assert len(expected) >= 6


def _crowd(reader: Reader, marketing: Purpose, now: dt.datetime) -> None:
    change_sending_settings(hold_out_percent=30)
    suppress_address("dicht@example.nl", now=now)
    for number in range(40):
        reader(email="gedeeld@example.nl" if number % 5 == 0 else None)
    reader(email="", street="")
    reader(email="dicht@example.nl", street="")
    reader(birth_date=dt.date(2020, 1, 1))
    CustomerFactory(kind="prospect")
    for state in ("withdrawn", "objected"):
        record_consent(
            reader(), purpose=marketing, channel="email", state=state, source_code="library", actor="test", event_at=now
        )


def test_nobody_at_all_is_a_mailing_that_is_finished(start: Start) -> None:
    mailing = start(candidates=Customer.objects.none())
    assert (mailing.state, mailing.decisions.count()) == ("finished", 0)


def test_a_slice_of_candidates_is_respected(start: Start, readers: Callable[[int], list[Customer]]) -> None:
    readers(5)
    chosen = Customer.objects.order_by("-number")[:2]
    mailing = start(candidates=chosen)
    assert set(outcomes(mailing)) == {customer.pk for customer in chosen}


def test_percent_signs_in_the_selection_do_no_harm(start: Start, reader: Reader) -> None:
    odd = reader(last_name="100%s van %(now)s")
    reader()
    mailing = start(candidates=Customer.objects.filter(last_name__contains="%s van %("))
    assert set(outcomes(mailing)) == {odd.pk}


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_are_one_mailing(
    house: SendingSettings, readers: Callable[[int], list[Customer]], make_content: Callable[..., Content],
    marketing: Purpose, now: dt.datetime,
) -> None:  # fmt: skip
    readers(50)
    content = make_content()

    def run(_number: int) -> int:
        try:
            return start_mailing(
                name="Een keer", origin="action:1", due_key="action:1:2026-06-15", purpose=marketing, channels="email",
                content=content, candidates=Customer.objects.all(), now=now,
            ).pk  # fmt: skip
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(run, range(6)))
    assert len(found) == 1
    assert (Mailing.objects.count(), Decision.objects.count(), Message.objects.count()) == (1, 50, 50)


@pytest.mark.django_db(transaction=True)
def test_two_mailings_at_once_respect_the_cap_together(
    house: SendingSettings, readers: Callable[[int], list[Customer]], make_content: Callable[..., Content],
    marketing: Purpose, now: dt.datetime,
) -> None:  # fmt: skip
    readers(30)
    limit_messages(1)
    content = make_content()

    def run(number: int) -> None:
        start_mailing(
            name="Samen", origin="action:1", due_key=f"key:{number}", purpose=marketing, channels="email",
            content=content, candidates=Customer.objects.all(), now=now,
        )  # fmt: skip
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert Message.objects.count() == 30
    assert Decision.objects.filter(outcome="frequency_cap").count() == 90


def statement_count(capture: Any) -> int:
    return len([query for query in capture.captured_queries if "mailings_decision" in query["sql"]])


def test_the_gate_is_one_statement_however_many_candidates(
    start: Start, readers: Callable[[int], list[Customer]], django_assert_max_num_queries: Any
) -> None:
    readers(30)
    with django_assert_max_num_queries(60) as captured:
        start()
    inserts = [query["sql"] for query in captured.captured_queries if "INSERT INTO mailings_decision" in query["sql"]]
    assert len(inserts) == 1
