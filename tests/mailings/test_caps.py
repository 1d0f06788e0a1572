import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from common.errors import Refused
from customers.models import Customer, Purpose
from mailings import gate
from mailings.actions import cancel, decide_about_waiting, pause, remove_cap_rule, resume, save_cap_rule
from mailings.experiments.splitting import HELD
from mailings.models import CapRule, Decision, EarlierDecision, Mailing, Message
from tests.factories import ConsentFactory, DefinitionFactory, PurposeFactory, limit_messages
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
Reader = Callable[..., Customer]
LOW, NORMAL, HIGH = Mailing.Priority.LOW, Mailing.Priority.NORMAL, Mailing.Priority.HIGH
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def outcome(mailing: Mailing, customer: Customer) -> str:
    return Decision.objects.get(mailing=mailing, customer=customer).outcome


def sent(mailing: Mailing, at: dt.datetime) -> None:
    Message.objects.filter(mailing=mailing).update(state="sent", sent_at=at)
    Mailing.objects.filter(pk=mailing.pk).update(state="finished", finished_at=at)


@pytest.fixture
def culture(marketing: Purpose) -> Purpose:
    return PurposeFactory(code="culture", rule="opt_in", name="Cultuur")


def test_limits_per_purpose_and_channel_hold_beside_each_other(
    start: Start, reader: Reader, marketing: Purpose, culture: Purpose
) -> None:
    limit_messages(3)
    save_cap_rule(None, purpose=culture, messages=1, days=30)
    save_cap_rule(None, channel="post", messages=1, days=30)
    customer = reader()
    ConsentFactory(customer=customer, purpose=culture)
    seen = [
        outcome(start(purpose=culture), customer),
        outcome(start(purpose=culture), customer),  # one of this purpose in a month
        outcome(start(channels="letter"), customer),
        outcome(start(channels="letter"), customer),  # one letter in a month
        outcome(start(), customer),
        outcome(start(), customer),  # three in a week
    ]
    assert seen == ["accepted", "frequency_cap", "accepted", "frequency_cap", "accepted", "frequency_cap"]


def test_without_a_limit_everybody_gets_everything(start: Start, reader: Reader) -> None:
    limit_messages(0)
    customer = reader()
    assert [outcome(start(), customer) for _ in range(5)] == ["accepted"] * 5


def test_who_has_had_enough_waits_for_his_turn_and_gets_it(start: Start, reader: Reader, now: dt.datetime) -> None:
    limit_messages(2, days=7, wait_days=3)
    customer = reader()
    sent(start(), now - 6 * DAY)
    sent(start(), now - DAY)
    mailing = start()
    decision = Decision.objects.get(mailing=mailing)
    assert (decision.outcome, decision.until) == ("waits", now + DAY)
    assert not Message.objects.filter(mailing=mailing).exists()
    assert mailing.state == "sending"

    assert decide_about_waiting(now=now + HOUR) == 0
    assert outcome(mailing, customer) == "waits"
    later = now + DAY + HOUR
    assert decide_about_waiting(now=later) == 1
    assert outcome(mailing, customer) == "accepted"
    message = Message.objects.get(mailing=mailing)
    assert (message.state, message.customer, message.next_attempt_at) == ("queued", customer, later)
    before = EarlierDecision.objects.get()
    assert (before.outcome, before.decided_at, before.replaced_at, before.until) == ("waits", now, later, now + DAY)
    assert decide_about_waiting(now=later + HOUR) == 0
    assert Message.objects.filter(mailing=mailing).count() == 1


def test_who_would_have_to_wait_too_long_does_not_wait(start: Start, reader: Reader, now: dt.datetime) -> None:
    limit_messages(1, days=7, wait_days=3)
    customer = reader()
    sent(start(), now - DAY)
    mailing = start()
    assert outcome(mailing, customer) == "frequency_cap"
    assert mailing.state == "finished"


def test_who_missed_his_turn_to_others_has_had_enough_in_the_end(
    start: Start, reader: Reader, now: dt.datetime
) -> None:
    limit_messages(1, days=2, wait_days=2)
    customer = reader()
    sent(start(), now - DAY)
    mailing = start()
    assert outcome(mailing, customer) == "waits"
    sent(start(now=now + 25 * HOUR), now + 25 * HOUR)  # the other one came when there was room again
    decide_about_waiting(now=now + 26 * HOUR)
    assert outcome(mailing, customer) == "frequency_cap"
    mailing.refresh_from_db()
    assert mailing.state == "finished"


RESERVED = {
    "rest of a test": ("sending", HELD),
    "on pause": ("paused", None),
    "awaits approval": ("awaits", None),
}


@pytest.mark.parametrize(("state", "at"), RESERVED.values(), ids=list(RESERVED))
@pytest.mark.parametrize(("fate", "expected"), [("cancelled", "accepted"), ("sent", "frequency_cap"), ("", "waits")])
def test_who_has_had_enough_only_by_what_may_never_leave_waits_for_that(
    start: Start, reader: Reader, now: dt.datetime, state: str, at: dt.datetime | None, fate: str, expected: str
) -> None:
    limit_messages(1, days=7, wait_days=3)
    customer = reader()
    reserved = start()
    Message.objects.update(next_attempt_at=at or now)
    Mailing.objects.update(state=state)
    mailing = start()
    decision = Decision.objects.get(mailing=mailing)
    assert (decision.outcome, decision.until) == ("waits", now + 3 * DAY)
    assert outcome(reserved, customer) == "accepted"
    if fate == "cancelled":
        cancel(reserved, now=now + HOUR)
    elif fate == "sent":
        sent(reserved, now + HOUR)
    decide_about_waiting(now=now + 2 * HOUR)
    assert outcome(mailing, customer) == expected
    if expected == "waits":
        decide_about_waiting(now=now + 3 * DAY + HOUR)
        assert outcome(mailing, customer) == "frequency_cap"
        mailing.refresh_from_db()
        assert mailing.state == "finished"


def test_who_would_have_had_enough_anyhow_waits_for_no_test(start: Start, reader: Reader, now: dt.datetime) -> None:
    limit_messages(2, days=7, wait_days=3)
    customer = reader()
    sent(start(), now - DAY)
    start()
    Message.objects.filter(state="queued").update(next_attempt_at=HELD)
    late = start(now=now)
    assert outcome(late, customer) == "waits"
    cancel(late, now=now)
    limit_messages(1, days=7, wait_days=3)
    assert outcome(start(), customer) == "frequency_cap"


def test_a_message_of_lower_priority_gives_way(start: Start, reader: Reader, now: dt.datetime) -> None:
    limit_messages(1, days=7, wait_days=10)
    customer = reader()
    low = start(priority=LOW)
    high = start(priority=HIGH)
    assert (outcome(low, customer), outcome(high, customer)) == ("waits", "accepted")
    gone = Message.objects.get(mailing=low)
    assert (gone.state, gone.withdrawn_because) == ("withdrawn", "gave_way")
    assert Decision.objects.get(mailing=low).until == now + 7 * DAY
    assert EarlierDecision.objects.filter(mailing=low, outcome="accepted").exists()
    sent(high, now)
    later = now + 7 * DAY + HOUR
    decide_about_waiting(now=later)
    assert outcome(low, customer) == "accepted"
    gone.refresh_from_db()
    assert (gone.state, gone.withdrawn_because, gone.next_attempt_at) == ("queued", "", later)


def test_who_gives_way_and_cannot_wait_long_enough_has_had_enough(start: Start, reader: Reader) -> None:
    limit_messages(1, days=7, wait_days=3)
    customer = reader()
    low, _high = start(priority=LOW), start(priority=HIGH)
    assert outcome(low, customer) == "frequency_cap"
    low.refresh_from_db()
    assert low.state == "finished"


@pytest.mark.parametrize(
    "fields", [{"state": "sent"}, {"state": "claimed"}, {"state": "sending"}, {"state": "deferred", "attempts": 1}]
)
def test_what_left_already_or_is_leaving_gives_no_way(
    start: Start, reader: Reader, now: dt.datetime, fields: dict[str, Any]
) -> None:
    limit_messages(1)
    customer = reader()
    low = start(priority=LOW)
    Message.objects.update(sent_at=now if fields["state"] == "sent" else None, **fields)
    assert outcome(start(priority=HIGH), customer) == "frequency_cap"
    assert Message.objects.get(mailing=low).state == fields["state"]


def test_nothing_of_equal_priority_gives_way(start: Start, reader: Reader) -> None:
    limit_messages(1)
    customer = reader()
    first, second = start(priority=HIGH), start(priority=HIGH)
    assert (outcome(first, customer), outcome(second, customer)) == ("accepted", "frequency_cap")


def test_the_least_important_gives_way_and_no_more_than_needed(start: Start, reader: Reader) -> None:
    limit_messages(3)
    customer = reader()
    normal, low, other = start(), start(priority=LOW), start(priority=LOW)
    start(priority=HIGH)
    assert [outcome(one, customer) for one in (normal, low, other)] == ["accepted", "accepted", "frequency_cap"]


def test_a_preview_counts_whose_place_would_be_taken_and_takes_none(
    start: Start, readers: Any, marketing: Purpose, now: dt.datetime
) -> None:
    limit_messages(1)
    readers(4)
    low = start(priority=LOW)
    terms = gate.Terms(marketing, "email", priority=HIGH)
    assert gate.preview(terms, candidates=Customer.objects.all(), now=now) == {"accepted": 4}
    assert gate.preview(gate.Terms(marketing, "email"), candidates=Customer.objects.all(), now=now) == {"accepted": 4}
    low_terms = gate.Terms(marketing, "email", priority=LOW)
    assert gate.preview(low_terms, candidates=Customer.objects.all(), now=now) == {"frequency_cap": 4}
    assert Counter(low.decisions.values_list("outcome", flat=True)) == {"accepted": 4}


def test_what_a_worker_takes_in_the_meantime_keeps_its_place(start: Start, reader: Reader, now: dt.datetime) -> None:
    """The row is claimed after the gate saw it and before it could give way; the trigger does what a worker would."""
    limit_messages(1, wait_days=10)
    customer = reader()
    low = start(priority=LOW)
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        cursor.execute(
            "CREATE TRIGGER keep BEFORE UPDATE ON mailings_message FOR EACH ROW"
            " WHEN (NEW.state = 'withdrawn') EXECUTE FUNCTION pg_temp.keep()"
        )
    high = start(priority=HIGH)
    assert outcome(low, customer) == "accepted"
    assert outcome(high, customer) == "waits"
    assert Message.objects.count() == 1


def test_of_two_at_one_mailbox_who_waited_is_still_the_second(start: Start, reader: Reader, now: dt.datetime) -> None:
    limit_messages(1, days=2, wait_days=3)
    early, late = reader(email="samen@example.nl"), reader(email="samen@example.nl")
    sent(start(early), now - DAY)
    mailing = start(early, late)
    assert (outcome(mailing, early), outcome(mailing, late)) == ("waits", "accepted")
    decide_about_waiting(now=now + 2 * DAY)
    assert outcome(mailing, early) == "duplicate"


def test_a_mailing_on_pause_keeps_waiting_and_a_cancelled_one_stops(
    start: Start, reader: Reader, now: dt.datetime
) -> None:
    limit_messages(1, days=2, wait_days=3)
    customer = reader()
    sent(start(), now - DAY)
    mailing = start()
    pause(mailing, now=now)
    assert decide_about_waiting(now=now + 2 * DAY) == 0
    resume(mailing, now=now)
    assert outcome(mailing, customer) == "waits"
    cancel(mailing, now=now + 2 * DAY)
    assert outcome(mailing, customer) == "frequency_cap"
    assert EarlierDecision.objects.get().outcome == "waits"


def test_who_gets_his_turn_gets_his_voucher_too(
    start: Start, reader: Reader, make_content: Any, now: dt.datetime
) -> None:
    limit_messages(1, days=2, wait_days=3)
    reader()
    definition = DefinitionFactory(state="active")
    sent(start(), now - DAY)
    start(content=make_content({"type": "voucher", "data": {"definition": definition.pk}}))
    assert not Voucher.objects.exists()
    decide_about_waiting(now=now + 2 * DAY)
    assert Voucher.objects.count() == 1


def test_what_the_turn_cannot_be_given_for_puts_the_mailing_on_pause(
    start: Start, reader: Reader, make_content: Any, now: dt.datetime
) -> None:
    limit_messages(1, days=2, wait_days=3)
    customer = reader()
    definition = DefinitionFactory(state="active")
    sent(start(), now - DAY)
    mailing = start(content=make_content({"type": "voucher", "data": {"definition": definition.pk}}))
    definition.state = "closed"
    definition.save()
    decide_about_waiting(now=now + 2 * DAY)
    mailing.refresh_from_db()
    assert mailing.state == "paused"
    assert definition.name in mailing.pause_reason
    assert outcome(mailing, customer) == "waits"


def test_deciding_again_is_one_statement_per_mailing(
    start: Start, readers: Any, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    limit_messages(1, days=2, wait_days=3)
    readers(30)
    sent(start(), now - DAY)
    start()
    with django_assert_max_num_queries(36) as captured:
        assert decide_about_waiting(now=now + 2 * DAY) == 30
    updates = [query["sql"] for query in captured.captured_queries if "UPDATE mailings_decision" in query["sql"]]
    assert len(updates) == 1


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"messages": 0, "days": 7}, "cap"),
        ({"messages": 1, "days": 0}, "cap"),
        ({"messages": 1, "days": 367}, "cap"),
        ({"messages": 5, "days": 7}, "twice"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(house: Any, given: dict[str, int], code: str) -> None:
    with pytest.raises(Refused) as refused:
        save_cap_rule(None, **given)
    assert refused.value.code == code


def test_service_messages_cannot_be_limited(house: Any, service: Purpose) -> None:
    with pytest.raises(Refused, match="Service"):
        save_cap_rule(None, purpose=service, messages=1, days=1)


def test_a_limit_taken_away_holds_no_more(start: Start, reader: Reader) -> None:
    limit_messages(1)
    customer = reader()
    start()
    assert outcome(start(), customer) == "frequency_cap"
    remove_cap_rule(CapRule.objects.get())
    assert outcome(start(), customer) == "accepted"
