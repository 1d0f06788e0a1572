"""Tests of versions: who gets which, what waits, and what is decided."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Max
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from common.errors import Refused
from common.time import AMSTERDAM
from customers.models import Customer
from mailings import queue
from mailings.actions import (
    add_arm,
    approve,
    cancel,
    change_arm,
    change_experiment,
    change_sending_settings,
    decide_about_waiting,
    decide_due,
    decide_experiment,
    finish_mailings,
    pause,
    plan_experiment,
    print_letters,
    remove_arm,
    remove_experiment,
    resume,
    save_style,
    set_arms,
    unsubscribe,
    unwrite_arm,
    write_arm,
)
from mailings.experiments.results import due_at, scores_of
from mailings.experiments.splitting import HELD, moment_of
from mailings.frozen import mark_of_mailing
from mailings.models import Arm, Content, Experiment, Link, Mailing
from mailings.recipients import load_recipients
from mailings.rendering import fill, in_style_of, sender_of
from selections.usages import uses_of
from tests.factories import BranchFactory, CustomerFactory, DefinitionFactory, FactFactory, follow_link, limit_messages
from tests.mailings.conftest import BUTTON, TEXT
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def content(make_content: Callable[..., Content]) -> Content:
    return make_content()


@pytest.fixture
def plan(content: Content, now: dt.datetime) -> Callable[..., Experiment]:
    """Set up a test: shares of its versions, of which the second and so on have a subject of their own."""

    def make(*shares: int, **fields: Any) -> Experiment:
        experiment = plan_experiment(fields.pop("of", content), now=now)
        arms = [{"percent": share, "subject": f"Versie {place}" if place else ""} for place, share in enumerate(shares)]
        set_arms(experiment, arms, now=now)
        known = {"metric": "clicks", "decide_after_hours": 4, "is_automatic": True}
        return change_experiment(experiment, **{**known, **fields})

    return make


@pytest.fixture
def held(start: Start, content: Content) -> Start:
    """Start the mailing of the content with the test that was set up for it."""
    return lambda *customers, **fields: start(*customers, content=content, with_test=True, **fields)


def arms_of(mailing: Mailing) -> dict[int, int | None]:
    """Customer -> place of his version, None for the rest."""
    return dict(mailing.messages.values_list("customer_id", "arm__position"))


def leave(mailing: Mailing, at: dt.datetime) -> None:
    """Let all that may leave be sent at that moment."""
    ready = mailing.messages.filter(state="queued", next_attempt_at__lte=at)
    ready.update(state="sent", sent_at=at, state_at=at, attempts=1)


def click(mailing: Mailing, place: int, count: int, at: dt.datetime) -> None:
    for message in mailing.messages.filter(arm__position=place, state="sent").order_by("pk")[:count]:
        follow_link(message, now=at)


# Who gets which


@trying(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shares=st.lists(st.integers(1, 40), min_size=2, max_size=5).filter(lambda found: sum(found) <= 100))
def test_every_reader_has_one_version_or_waits_and_the_shares_are_right(
    shares: list[int], plan: Any, make_content: Any, start: Start, reader: Any, now: dt.datetime
) -> None:
    limit_messages(0)
    while Customer.objects.count() < 300:
        reader()
    own = make_content()
    plan(*shares, of=own)
    mailing = start(content=own, with_test=True)
    assert mailing.messages.count() == Customer.objects.count() == mailing.messages.distinct("customer").count()
    found = Counter(arms_of(mailing).values())
    for place, share in enumerate(shares):
        expected = 3 * share
        assert abs(found[place] - expected) <= 5 * (expected * (1 - share / 100)) ** 0.5 + 1
    waiting = mailing.messages.filter(next_attempt_at=HELD)
    assert set(waiting.values_list("arm", flat=True)) <= {None}
    assert waiting.count() == found[None]
    if sum(shares) == 100:
        assert found[None] == 0


def test_the_same_reader_falls_in_another_part_of_another_mailing(plan: Any, make_content: Any, start: Start,
                                                                  readers: Any) -> None:  # fmt: skip
    limit_messages(0)
    readers(60)
    mailings = []
    for _number in range(2):
        own = make_content()
        plan(50, 50, of=own)
        mailings.append(start(content=own, with_test=True))
    assert arms_of(mailings[0]) != arms_of(mailings[1])


def test_only_who_asks_for_the_test_gets_it_and_it_is_held_once(plan: Any, start: Start, held: Start, content: Content,
                                                                readers: Any) -> None:  # fmt: skip
    readers(10)
    experiment = plan(50, 50)
    assert set(arms_of(start(content=content)).values()) == {None}  # a trigger, say
    mailing = held()
    experiment.refresh_from_db()
    assert experiment.mailing == mailing
    assert None not in arms_of(mailing).values()
    assert set(arms_of(held()).values()) == {None}


def test_no_worker_takes_who_waits(plan: Any, held: Start, readers: Any, now: dt.datetime) -> None:
    from uuid import uuid4

    readers(60)
    plan(20, 20)
    mailing = held()
    in_test = set(mailing.messages.exclude(arm=None).values_list("pk", flat=True))
    claimed = {message for message, _customer in queue.claim(mailing, token=uuid4(), limit=1000)}
    assert claimed == in_test
    assert 0 < len(claimed) < 60
    assert queue.next_mailing(has_hours=True) is None


# What each of them says


def test_each_version_says_its_own_and_their_links_are_one_list(
    plan: Any, held: Start, readers: Any, content: Content, house: Any, now: dt.datetime
) -> None:
    readers(40)
    experiment = plan(40, 30, 30)
    second, third = experiment.versions[1:]
    change_arm(second, percent=30, sender_name="Anna van de bieb")
    own = write_arm(third, now=now)
    own.blocks = [{**one, "data": {**one["data"], "url": "https://www.example.nl/anders"}}
                  if one["type"] == "button" else one for one in own.blocks]  # fmt: skip
    own.subject = "Anders"
    own.save()
    change_arm(Arm.objects.get(pk=third.pk), percent=30)
    edam = BranchFactory()
    save_style(edam, accent="#00aa00", sender_name="Bieb Edam")
    Customer.objects.filter(pk__in=list(Customer.objects.values_list("pk", flat=True)[:20])).update(branch=edam)
    mailing = held()
    said = {arm.position: arm.compiled for arm in experiment.versions}
    assert [fill(said[place]["subject"], {"first_name": "Anna"}, as_html=False) for place in range(3)] == [
        "Nieuws voor Anna", "Nieuws voor Anna", "Anders",
    ]  # fmt: skip
    senders = [
        sender_of(in_style_of(said[place], branch), house).name for place in range(3) for branch in (None, edam.pk)
    ]
    assert senders == ["Bibliotheek Waterland", "Bieb Edam", "Anna van de bieb", "Anna van de bieb",
                       "Bibliotheek Waterland", "Bieb Edam"]  # fmt: skip
    links = list(Link.objects.filter(mailing=mailing).order_by("position").values_list("url", flat=True))
    assert links == ["https://www.example.nl/agenda?a=1&b=2", "https://www.example.nl/anders"]
    assert ["link:1", None] in [piece for _audience, pieces in said[2]["html"] for piece in pieces]
    assert ["link:0", None] in [piece for _audience, pieces in said[0]["html"] for piece in pieces]


def test_only_its_readers_get_the_voucher_of_a_version(
    plan: Any, held: Start, readers: Any, house: Any, now: dt.datetime
) -> None:
    readers(80)
    definition = DefinitionFactory(state="active")
    experiment = plan(30, 30)
    own = write_arm(experiment.versions[1], now=now)
    from mailings.actions import save_content

    save_content(own, name=own.name, subject=own.subject, blocks=[TEXT, {"type": "voucher", "data": {
        "definition": definition.pk}}], now=now)  # fmt: skip
    mailing = held()
    has = set(Voucher.objects.values_list("customer_id", flat=True))
    assert has == {customer for customer, place in arms_of(mailing).items() if place == 1}
    pairs = list(mailing.messages.values_list("pk", "customer_id"))
    loaded = load_recipients(pairs, compiled=mailing.compiled, identity=house, origin=f"mailing:{mailing.pk}",
                             medium="email", now=now)  # fmt: skip
    slot = f"voucher:{definition.pk}:code"
    assert {one.customer_id for one in loaded if slot in one.values} == has
    leave(mailing, now)
    decide_experiment(experiment, winner=experiment.versions[1], now=now + HOUR)
    first = {customer for customer, place in arms_of(mailing).items() if place == 0}
    assert set(Voucher.objects.values_list("customer_id", flat=True)) == set(arms_of(mailing)) - first


def test_blocks_for_an_audience_in_one_version_find_their_readers(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    from labels.actions import create_label, give_label
    from mailings.actions import save_content

    customers = readers(30)
    label = create_label(code="lezer", name="Lezer", kind="own", by=None, now=now)
    give_label(label, Customer.objects.filter(pk=customers[0].pk), by="test", now=now)
    experiment = plan(50, 50)
    own = write_arm(experiment.versions[1], now=now)
    block = {**TEXT, "audience": {"kind": "label", "id": label.pk}}
    save_content(own, name=own.name, subject=own.subject, blocks=[BUTTON, block], now=now)
    assert [use.thing for use in uses_of(label)] == [experiment]
    mailing = held()
    assert uses_of(label) == []
    assert mailing.messages.get(customer=customers[0]).audiences == [f"label:{label.pk}"]


# Deciding


def test_the_best_version_goes_to_the_rest_when_it_is_truly_better(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    readers(300)
    experiment = plan(30, 30)
    mailing = held()
    leave(mailing, now)
    click(mailing, 0, 6, now + HOUR)
    click(mailing, 1, 40, now + HOUR)
    assert decide_due(now=now + 3.9 * HOUR) == 0
    assert decide_due(now=now + 4 * HOUR) == 1
    experiment.refresh_from_db()
    mailing.refresh_from_db()
    assert (experiment.outcome, experiment.winner.position) == ("difference", 1)
    assert 0 < experiment.result["p"] < 0.001
    rest = mailing.messages.filter(arm=None)
    assert set(rest.values_list("next_attempt_at", flat=True)) == {now + 4 * HOUR}
    assert fill(mailing.compiled["subject"], {}, as_html=False) == "Versie 1"
    assert decide_due(now=now + 5 * HOUR) == 0
    leave(mailing, now + 5 * HOUR)
    finish_mailings(now=now + 5 * HOUR)
    mailing.refresh_from_db()
    assert mailing.state == "finished"
    assert mailing.messages.filter(state="sent").count() == 300


@pytest.mark.parametrize(("one_in", "more", "outcome"), [(4, 3, "no_difference"), (0, 3, "too_few")])
def test_without_a_shown_difference_the_first_goes_to_the_rest(
    one_in: int, more: int, outcome: str, plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    readers(200)
    experiment = plan(40, 40)
    mailing = held()
    leave(mailing, now)
    for place in (0, 1):  # of as many as fell in it, by chance: the second does a little better
        sent = mailing.messages.filter(arm__position=place).count()
        click(mailing, place, (sent // one_in if one_in else 0) + place * more, now + HOUR)
    decide_due(now=now + 4 * HOUR)
    experiment.refresh_from_db()
    assert (experiment.outcome, experiment.winner.position) == (outcome, 0)


def test_only_what_a_reader_does_within_his_own_hours_counts(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    readers(60)
    experiment = plan(50, 50)
    mailing = held()
    leave(mailing, now)
    one, two, three = mailing.messages.filter(arm__position=0).order_by("pk")[:3]
    follow_link(one, now=now + HOUR)
    follow_link(one, now=now + 2 * HOUR)
    follow_link(two, now=now + 5 * HOUR)  # too late
    follow_link(three, now=now + dt.timedelta(seconds=1))  # a program
    assert [score.reached for score in scores_of(experiment)] == [1, 0]


def test_any_activity_may_be_what_counts(plan: Any, held: Start, readers: Any, now: dt.datetime) -> None:
    readers(60)
    experiment = plan(50, 50, metric="facts", fact_kind="loan")
    mailing = held()
    leave(mailing, now)
    first = list(mailing.messages.filter(arm__position=0).order_by("pk")[:3])
    for message, moment, kind in zip(first, [now + HOUR, now - HOUR, now + HOUR], ["loan", "loan", "visit"],
                                     strict=True):  # fmt: skip
        FactFactory(customer=message.customer, kind=kind, occurred_at=moment)
    assert [score.reached for score in scores_of(experiment)] == [1, 0]


def test_it_is_due_when_the_last_in_the_test_has_had_his_hours(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    readers(60)
    experiment = plan(50, 50)
    mailing = held()
    experiment.refresh_from_db()
    assert due_at(experiment) is None
    late = mailing.messages.order_by("pk").first()
    assert late
    mailing.messages.filter(pk=late.pk).update(next_attempt_at=now + 2 * HOUR)
    leave(mailing, now)
    assert due_at(experiment) is None
    leave(mailing, now + 2 * HOUR)
    assert due_at(experiment) == now + 6 * HOUR


def test_a_mailing_without_readers_in_its_test_is_decided_all_the_same(
    plan: Any, held: Start, now: dt.datetime
) -> None:
    CustomerFactory(kind="prospect")
    experiment = plan(1, 1)
    mailing = held()
    assert mailing.messages.count() == 0
    assert decide_due(now=now + 4 * HOUR) == 1
    experiment.refresh_from_db()
    assert experiment.outcome == "too_few"


def test_by_hand_any_version_can_be_chosen_once(plan: Any, held: Start, readers: Any, marketeer: Any,
                                                now: dt.datetime) -> None:  # fmt: skip
    readers(60)
    experiment = plan(30, 30, is_automatic=False)
    mailing = held()
    leave(mailing, now)
    assert decide_due(now=now + 40 * HOUR) == 0
    decide_experiment(experiment, winner=experiment.versions[1], by=marketeer, now=now + 40 * HOUR)
    experiment.refresh_from_db()
    assert (experiment.outcome, experiment.decided_by) == ("by_hand", marketeer)
    with pytest.raises(Refused):
        decide_experiment(experiment, winner=experiment.versions[0], now=now + 41 * HOUR)


def test_a_voucher_that_cannot_be_made_for_the_rest_holds_the_mailing_until_somebody_mends_it(
    plan: Any, held: Start, readers: Any, content: Content, now: dt.datetime
) -> None:
    from mailings.actions import save_content
    from vouchers.models import Definition

    readers(60)
    definition = DefinitionFactory(state="active")
    voucher = {"type": "voucher", "data": {"definition": definition.pk}}
    save_content(content, name="Voorjaar", subject="Bon", blocks=[TEXT, voucher], now=now)
    experiment = plan(30, 30)
    mailing = held()
    leave(mailing, now)
    Definition.objects.update(state="paused")
    assert decide_due(now=now + 4 * HOUR) == 0
    mailing.refresh_from_db()
    experiment.refresh_from_db()
    assert (mailing.state, experiment.decided_at) == ("paused", None)
    assert mailing.pause_reason
    assert mailing.messages.filter(next_attempt_at=HELD).exists()
    Definition.objects.update(state="active")
    resume(mailing, now=now + 5 * HOUR)
    assert decide_due(now=now + 5 * HOUR) == 1


def test_a_voucher_that_ran_out_is_no_obstacle_where_nobody_waits(
    plan: Any, held: Start, readers: Any, content: Content, now: dt.datetime
) -> None:
    from mailings.actions import save_content
    from vouchers.models import Definition

    readers(10)
    definition = DefinitionFactory(state="active")
    voucher = {"type": "voucher", "data": {"definition": definition.pk}}
    save_content(content, name="Voorjaar", subject="Bon", blocks=[TEXT, voucher], now=now)
    plan(50, 50)
    mailing = held()
    leave(mailing, now)
    finish_mailings(now=now)
    Definition.objects.update(state="paused")
    assert decide_due(now=now + 4 * HOUR) == 1
    mailing.refresh_from_db()
    assert mailing.state == "finished"


def test_a_letter_that_is_still_to_be_printed_has_the_voucher_of_the_version_that_was_chosen(
    plan: Any, held: Start, readers: Any, marketing: Any, now: dt.datetime
) -> None:
    from mailings.actions import save_content
    from tests.factories import ConsentFactory

    readers(10)
    paper = CustomerFactory(email="")
    ConsentFactory(customer=paper, purpose=marketing, channel="post")
    definition = DefinitionFactory(state="active")
    experiment = plan(50, 50)
    own = write_arm(experiment.versions[1], now=now)
    voucher = {"type": "voucher", "data": {"definition": definition.pk}}
    save_content(own, name=own.name, subject="Bon", blocks=[TEXT, voucher], now=now)
    mailing = held(channels="email_or_letter")
    leave(mailing, now)
    mailing.messages.filter(customer=paper).update(state="queued", sent_at=None)
    decide_experiment(experiment, winner=experiment.versions[1], now=now + HOUR)
    assert Voucher.objects.filter(customer=paper, definition=definition).count() == 1


def test_the_gate_is_held_while_the_decision_is_written_and_not_while_the_rest_is_let_go(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    readers(40)
    experiment = plan(20, 20)
    leave(held(), now)
    with CaptureQueriesContext(connection) as seen:
        decide_experiment(experiment, now=now + 4 * HOUR)
    told = [query["sql"] for query in seen.captured_queries]
    place = {word: min(number for number, sql in enumerate(told) if word in sql)
             for word in ("count(*) FILTER", "pg_advisory_xact_lock", "SKIP LOCKED")}  # fmt: skip
    gate_over = next(number for number in range(place["pg_advisory_xact_lock"], len(told))
                     if told[number].startswith("RELEASE SAVEPOINT"))  # fmt: skip
    assert place["count(*) FILTER"] < place["pg_advisory_xact_lock"] < gate_over < place["SKIP LOCKED"]


def test_the_rest_is_let_go_in_parts_and_what_broke_off_goes_on_at_the_next_run(
    plan: Any, held: Start, readers: Any, now: dt.datetime, monkeypatch: Any
) -> None:
    from mailings.experiments import splitting

    monkeypatch.setattr(splitting, "PART_OF_REST", 7)
    readers(60)
    experiment = plan(20, 20)
    mailing = held()
    leave(mailing, now)
    decide_experiment(experiment, now=now + 4 * HOUR)
    rest = mailing.messages.filter(arm=None)
    assert rest.count() > 14
    assert not rest.filter(next_attempt_at=HELD).exists()
    broken_off = list(rest.values_list("pk", flat=True)[:20])
    rest.filter(pk__in=broken_off).update(next_attempt_at=HELD)
    assert decide_due(now=now + 5 * HOUR) == 0
    assert set(rest.filter(pk__in=broken_off).values_list("next_attempt_at", flat=True)) == {now + 5 * HOUR}


def test_who_chooses_by_hand_waits_for_one_part_and_the_next_run_lets_the_others_go(
    plan: Any, held: Start, readers: Any, marketeer: Any, now: dt.datetime, monkeypatch: Any
) -> None:
    from mailings.experiments import splitting

    monkeypatch.setattr(splitting, "PART_OF_REST", 7)
    readers(60)
    experiment = plan(20, 20)
    mailing = held()
    leave(mailing, now)
    waiting = mailing.messages.filter(next_attempt_at=HELD)
    count = waiting.count()
    decide_experiment(experiment, winner=experiment.versions[1], by=marketeer, now=now + HOUR)
    assert waiting.count() == count - 7 > 0
    assert decide_due(now=now + 2 * HOUR) == 0
    assert waiting.count() == 0


def test_one_part_is_let_go_however_the_database_joins(
    plan: Any, held: Start, readers: Any, now: dt.datetime, monkeypatch: Any
) -> None:
    from mailings.experiments import splitting

    monkeypatch.setattr(splitting, "PART_OF_REST", 7)
    readers(60)
    experiment = plan(20, 20)
    mailing = held()
    leave(mailing, now)
    with connection.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material", "memoize"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    assert splitting.release_rest(experiment, mailing, now=now) == 7


def test_a_fault_in_one_decision_stops_no_other(
    plan: Any, start: Start, make_content: Any, readers: Any, now: dt.datetime, caplog: Any
) -> None:
    limit_messages(0)
    readers(40)
    mailings = []
    for _number in range(2):
        own = make_content()
        plan(20, 20, of=own)
        mailings.append(start(content=own, with_test=True))
        leave(mailings[-1], now)
    Arm.objects.filter(experiment__mailing=mailings[1], position=0).update(
        compiled={"blocks": [{"type": "does-not-exist", "data": {}}]}
    )
    Arm.objects.filter(experiment__mailing=mailings[0], position=0).update(
        compiled={"blocks": [{"type": "voucher", "data": {"definition": 0}}]}
    )
    third = make_content()
    plan(20, 20, of=third)
    sound = start(content=third, with_test=True)
    leave(sound, now)
    assert decide_due(now=now + 4 * HOUR) == 1
    decided = {one.mailing_id: bool(one.decided_at) for one in Experiment.objects.all()}
    assert decided == {mailings[0].pk: False, mailings[1].pk: False, sound.pk: True}
    assert caplog.text.count("cannot be decided") == 2


# While the rest waits


def test_who_waits_can_still_be_held_cancelled_and_lost(plan: Any, held: Start, readers: Any, now: dt.datetime) -> None:
    readers(60)
    experiment = plan(20, 20)
    mailing = held()
    leave(mailing, now)
    waiting = mailing.messages.filter(next_attempt_at=HELD)
    count = waiting.count()
    finish_mailings(now=now + HOUR)
    mailing.refresh_from_db()
    assert mailing.state == "sending"
    pause(mailing, now=now + HOUR)
    assert decide_due(now=now + 9 * HOUR) == 0
    resume(mailing, now=now + 9 * HOUR)
    assert waiting.count() == count
    assert cancel(mailing, now=now + 9 * HOUR) == count
    assert decide_due(now=now + 10 * HOUR) == 0
    with pytest.raises(Refused):
        decide_experiment(experiment, now=now + 10 * HOUR)
    assert set(mailing.messages.values_list("state", flat=True)) == {"sent", "withdrawn"}


def test_who_unsubscribes_or_is_erased_while_he_waits_gets_nothing(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    from uuid import uuid4

    from customers.actions.privacy import erase_customer

    readers(60)
    plan(20, 20, is_automatic=False)
    mailing = held()
    leave(mailing, now)
    waiting = list(mailing.messages.filter(next_attempt_at=HELD).order_by("pk"))
    unsubscribe(waiting[0], scope="purpose", method="page", now=now + HOUR)
    erase_customer(waiting[1].customer, ground="request", by=None, now=now + HOUR)
    decide_experiment(mailing.experiment, winner=mailing.experiment.versions[0], now=now + 2 * HOUR)
    token = uuid4()
    ids = [message for message, _customer in queue.claim(mailing, token=token, limit=1000)]
    marked = queue.mark(mailing, ids, token=token, now=now + 2 * HOUR)
    assert marked == {one.pk for one in waiting[2:]}


def test_who_is_let_through_later_waits_with_the_rest_and_then_gets_what_they_get(
    plan: Any, held: Start, start: Start, readers: Any, now: dt.datetime
) -> None:
    limit_messages(1, days=1, wait_days=3)
    readers(60)
    early = Customer.objects.order_by("pk")[:30]
    leave(start(*early), now)
    plan(50, 50)
    mailing = held()
    assert mailing.decisions.filter(outcome="waits").count() == 30
    leave(mailing, now)
    assert decide_about_waiting(now=now + 25 * HOUR) == 30
    late = mailing.messages.filter(customer__in=list(early))
    assert set(late.values_list("arm", "next_attempt_at")) == {(None, HELD)}
    assert decide_due(now=now + 26 * HOUR) == 1
    assert set(late.values_list("next_attempt_at", flat=True)) == {now + 26 * HOUR}


def test_letters_take_no_part_and_say_what_the_rest_is_told(
    plan: Any, held: Start, readers: Any, content: Content, marketing: Any, now: dt.datetime, settings: Any,
    tmp_path: Any,
) -> None:  # fmt: skip
    from tests.factories import ConsentFactory

    settings.MEDIA_ROOT = tmp_path
    readers(20)
    paper = CustomerFactory(email="")
    ConsentFactory(customer=paper, purpose=marketing, channel="post")
    plan(30, 30)
    mailing = held(channels="email_or_letter")
    letter = mailing.messages.get(customer=paper)
    assert (letter.channel, letter.arm, letter.next_attempt_at) == ("post", None, now)
    assert print_letters(mailing, now=now).letter_count == 1


# Versions at different times


def test_a_version_with_a_time_leaves_at_that_time_and_so_does_the_rest_when_it_wins(
    plan: Any, held: Start, readers: Any, now: dt.datetime
) -> None:
    readers(60)
    experiment = plan(30, 30)
    first, second = experiment.versions
    change_arm(first, percent=30, moment=dt.time(9))
    change_arm(second, percent=30, moment=dt.time(19, 30))
    mailing = held()  # at ten in the morning
    moments = dict(mailing.messages.exclude(arm=None).values_list("arm__position", "next_attempt_at"))
    assert {place: moment.astimezone(AMSTERDAM) for place, moment in moments.items()} == {
        0: dt.datetime(2026, 6, 16, 9, tzinfo=AMSTERDAM), 1: dt.datetime(2026, 6, 15, 19, 30, tzinfo=AMSTERDAM),
    }  # fmt: skip
    leave(mailing, now + 10 * HOUR)
    leave(mailing, now + 24 * HOUR)
    decide_experiment(experiment, winner=second, now=now + 29 * HOUR)
    rest = mailing.messages.filter(arm=None).aggregate(at=Max("next_attempt_at"))["at"]
    assert rest == dt.datetime(2026, 6, 16, 19, 30, tzinfo=AMSTERDAM)


def test_after_standing_still_versions_leave_at_their_own_time_again(
    plan: Any, held: Start, readers: Any, marketeer: Any, now: dt.datetime
) -> None:
    change_sending_settings(approval_from=10)
    readers(40)
    experiment = plan(50, 50)
    for arm, moment in zip(experiment.versions, [dt.time(13), dt.time(19)], strict=True):
        change_arm(arm, percent=50, moment=moment)
    mailing = held()
    assert mailing.state == "awaits"
    late = dt.datetime(2026, 6, 15, 14, tzinfo=AMSTERDAM)
    approve(mailing, seen=mark_of_mailing(mailing), by=marketeer, now=late)
    hours = dict(mailing.messages.values_list("arm__position", "next_attempt_at"))
    assert {place: moment.astimezone(AMSTERDAM).day for place, moment in hours.items()} == {0: 16, 1: 15}
    pause(mailing, now=late)
    resume(mailing, now=late + 8 * HOUR)
    hours = dict(mailing.messages.values_list("arm__position", "next_attempt_at"))
    assert {place: moment.astimezone(AMSTERDAM).day for place, moment in hours.items()} == {0: 16, 1: 16}


def test_a_test_decided_before_the_approval_gives_its_vouchers_out_after_it(
    plan: Any, held: Start, readers: Any, content: Content, marketeer: Any, now: dt.datetime
) -> None:
    from mailings.actions import save_content
    from vouchers.models import Voucher

    change_sending_settings(approval_from=10)
    readers(40)
    voucher = {"type": "voucher", "data": {"definition": DefinitionFactory().pk}}
    save_content(content, name="Voorjaar", subject="Bon", blocks=[TEXT, voucher], now=now)
    experiment = plan(30, 30)
    mailing = held()
    decide_experiment(experiment, winner=experiment.versions[0], by=marketeer, now=now)
    assert not Voucher.objects.exists()
    mailing.refresh_from_db()
    approve(mailing, seen=mark_of_mailing(mailing), by=marketeer, now=now)
    decide_due(now=now)
    assert not mailing.messages.filter(next_attempt_at=HELD).exists()
    assert Voucher.objects.count() == mailing.messages.count() == 40


@pytest.mark.parametrize("day", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_a_time_is_that_of_the_clock_on_the_wall_when_that_is_put_back_or_on(day: dt.date) -> None:
    arm = Arm(position=0, percent=50, moment=dt.time(8))
    evening = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(20), tzinfo=AMSTERDAM).astimezone(dt.UTC)
    moment = moment_of(arm, evening)
    assert moment
    assert moment.astimezone(AMSTERDAM).replace(tzinfo=None) == dt.datetime.combine(day, dt.time(8))


# Setting up


def test_a_content_has_one_test_at_a_time(content: Content, now: dt.datetime) -> None:
    first = plan_experiment(content, now=now)
    assert plan_experiment(content, now=now) == first
    assert [(arm.letter, arm.percent) for arm in first.versions] == [("A", 10), ("B", 10)]


def test_two_versions_that_are_the_same_compare_nothing(held: Start, readers: Any, content: Content,
                                                        now: dt.datetime) -> None:  # fmt: skip
    readers(3)
    experiment = plan_experiment(content, now=now)
    with pytest.raises(Refused) as refused:
        held()
    assert refused.value.code == "same_versions"
    experiment.refresh_from_db()
    assert experiment.mailing is None
    assert not Mailing.objects.exists()


def test_by_letter_only_there_is_nothing_to_test(held: Start, readers: Any, plan: Any) -> None:
    readers(3)
    plan(10, 10)
    with pytest.raises(Refused) as refused:
        held(channels="letter")
    assert refused.value.code == "test_without_mail"


def test_an_empty_version_stops_the_start(held: Start, readers: Any, plan: Any, now: dt.datetime) -> None:
    readers(3)
    own = write_arm(plan(10, 10).versions[1], now=now)
    Content.objects.filter(pk=own.pk).update(blocks=[])
    with pytest.raises(Refused) as refused:
        held()
    assert refused.value.code == "empty_content"


def test_the_shares_stay_within_all_readers(content: Content, now: dt.datetime) -> None:
    experiment = plan_experiment(content, now=now)
    first, second = experiment.versions
    change_arm(first, percent=90)
    with pytest.raises(Refused) as refused:
        change_arm(second, percent=11)
    assert refused.value.field == "percent"
    for percent in (0, 101):
        with pytest.raises(Refused):
            change_arm(first, percent=percent)
    with pytest.raises(Refused) as refused:
        add_arm(experiment)
    assert refused.value.code == "shares"
    change_arm(first, percent=50)
    assert add_arm(experiment).percent == 10
    with pytest.raises(Refused):
        set_arms(experiment, [{"percent": 60}, {"percent": 60}], now=now)
    assert [arm.percent for arm in experiment.versions] == [50, 10, 10]


def test_versions_come_and_go_with_their_texts(content: Content, now: dt.datetime) -> None:
    experiment = plan_experiment(content, now=now)
    third = add_arm(experiment)
    own = write_arm(third, now=now)
    assert own.pk != content.pk
    assert [one["type"] for one in own.blocks] == [one["type"] for one in content.blocks]
    assert write_arm(Arm.objects.get(pk=third.pk), now=now) == own
    remove_arm(experiment.versions[0])
    assert [(arm.letter, arm.content) for arm in experiment.versions] == [("A", None), ("B", own)]
    with pytest.raises(Refused):
        remove_arm(experiment.versions[0])
    unwrite_arm(experiment.versions[1])
    assert not Content.objects.filter(pk=own.pk).exists()
    write_arm(experiment.versions[1], now=now)
    remove_experiment(experiment)
    assert list(Content.objects.all()) == [content]


def test_at_most_five_versions(content: Content, now: dt.datetime) -> None:
    experiment = plan_experiment(content, now=now)
    for _more in range(3):
        add_arm(experiment)
    with pytest.raises(Refused):
        add_arm(experiment)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"metric": "facts", "fact_kind": "toverij"}, "fact_kind"),
        ({"metric": "facts", "fact_kind": "open"}, "fact_kind"),
        ({"metric": "facts", "fact_kind": "redemption_reversed"}, "fact_kind"),
        ({"decide_after_hours": 0}, "decide_after_hours"),
        ({"decide_after_hours": 400}, "decide_after_hours"),
    ],
)
def test_what_cannot_be_measured_is_refused(plan: Any, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        plan(10, 10, **fields)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "fields", [{"subject": "Dag {{ onbekend }}"}, {"subject": "a\nb"}, {"sender_name": "a\r\nBcc: x"}]
)
def test_what_cannot_stand_in_the_head_of_a_mail_is_refused(plan: Any, fields: dict[str, str]) -> None:
    with pytest.raises(Refused):
        change_arm(plan(10, 10).versions[0], percent=10, **fields)


def test_what_has_started_stays_as_it_is(plan: Any, held: Start, readers: Any, now: dt.datetime) -> None:
    readers(3)
    experiment = plan(10, 10)
    held()
    arm = experiment.versions[0]
    for change in (
        lambda: change_arm(arm, percent=20),
        lambda: add_arm(experiment),
        lambda: remove_arm(arm),
        lambda: write_arm(arm, now=now),
        lambda: remove_experiment(experiment),
        lambda: change_experiment(experiment, metric="clicks", decide_after_hours=9, is_automatic=False),
    ):
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.code == "test_started"
