import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from common.errors import Refused
from mailings import queue
from mailings.actions import (
    cancel,
    finish_mailings,
    judge_hits,
    record_hits,
    record_reports,
    settle_doubts,
    unsubscribe,
)
from mailings.actions.clicks import Arrival
from mailings.bounces.reading import Report
from mailings.models import Bounce, Mailing, Message, Settlement

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
CLOSED = "Connection unexpectedly closed"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def doubtful(start: Start, readers: Any, now: dt.datetime) -> Mailing:
    """Three messages, of which the first is sent and the others are in doubt; the mailing has finished."""
    readers(3)
    mailing = start()
    mailing.messages.update(state="in_doubt", reply=CLOSED, first_attempt_at=now, state_at=now)
    first = mailing.messages.order_by("pk")[0]
    mailing.messages.filter(pk=first.pk).update(state="sent", sent_at=now, reply="250 ok")
    finish_mailings(now=now)
    mailing.refresh_from_db()
    assert mailing.state == "finished"
    return mailing


def states(mailing: Mailing) -> list[str]:
    return list(mailing.messages.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(("decision", "state"), [("sent", "sent"), ("dropped", "failed"), ("again", "queued")])
def test_what_staff_decide_happens_to_those_in_doubt_and_is_kept(
    doubtful: Mailing, now: dt.datetime, marketeer: Any, decision: str, state: str
) -> None:
    assert settle_doubts(doubtful.messages.all(), decision=decision, by=marketeer, now=now + DAY) == 2
    assert states(doubtful) == ["sent", state, state]
    told = Settlement.objects.order_by("pk")
    assert {(one.decision, one.settled_by, one.settled_at) for one in told} == {(decision, marketeer, now + DAY)}
    assert told[0].reply == CLOSED
    message = doubtful.messages.order_by("pk")[1]
    assert "marketeer" in message.reply
    assert "unexpectedly closed" in message.reply
    assert message.sent_at == (now if decision == "sent" else None)
    with pytest.raises(Refused):
        settle_doubts(doubtful.messages.all(), decision=decision, by=marketeer, now=now)


def test_who_is_sent_again_gets_a_fresh_three_days_and_his_mailing_goes_on(
    doubtful: Mailing, now: dt.datetime, marketeer: Any
) -> None:
    one = doubtful.messages.order_by("pk")[1]
    settle_doubts(Message.objects.filter(pk=one.pk), decision="again", by=marketeer, now=now + DAY)
    doubtful.refresh_from_db()
    one.refresh_from_db()
    assert doubtful.state == "sending"
    assert doubtful.finished_at is None
    assert (one.first_attempt_at, one.next_attempt_at) == (None, now + DAY)
    assert states(doubtful) == ["sent", "queued", "in_doubt"]


@pytest.mark.parametrize("state", ["queued", "claimed", "deferred"])
@pytest.mark.parametrize("proof", ["click", "bounce", "unsubscribe"])
def test_the_second_copy_stays_here_when_the_first_turns_out_to_have_arrived(
    doubtful: Mailing, now: dt.datetime, proof: str, state: str
) -> None:
    settle_doubts(doubtful.messages.all(), decision="again", now=now + DAY)
    one, other = doubtful.messages.exclude(state="sent").order_by("pk")
    token = uuid4() if state == "claimed" else None
    doubtful.messages.filter(pk__in=[one.pk, other.pk]).update(state=state, claim=token)
    if proof == "click":
        record_hits([Arrival(one.pk, 0, now + DAY + HOUR, "")])
        judge_hits(now=now + 2 * DAY)
    elif proof == "bounce":
        returned = Report(Bounce.Kind.AUTO_REPLY, "1", message_id=one.pk, is_proven=True)
        record_reports([returned], source="mailbox", now=now + 2 * DAY)
    else:
        unsubscribe(one, scope="purpose", method="page", now=now + 2 * DAY)
    one.refresh_from_db()
    assert (one.state, one.claim, one.sent_at) == ("sent", None, now + DAY)
    assert "arrived after all" in one.reply or "toch aangekomen" in one.reply
    if token:
        assert queue.mark(doubtful, [one.pk, other.pk], token=token, now=now + 2 * DAY) == {other.pk}
    else:
        other.refresh_from_db()
        assert other.state == state


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_a_click_ends_no_message_that_nobody_sent_again_or_that_is_on_its_way(
    doubtful: Mailing, now: dt.datetime, state: str
) -> None:
    one = doubtful.messages.order_by("pk")[1]
    if state == "sending":
        settle_doubts(Message.objects.filter(pk=one.pk), decision="again", now=now + DAY)
    doubtful.messages.filter(pk=one.pk).update(state=state)
    record_hits([Arrival(one.pk, 0, now + DAY, "")])
    judge_hits(now=now + 2 * DAY)
    one.refresh_from_db()
    assert one.state == state


def test_of_a_cancelled_mailing_nothing_is_sent_again(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(1)
    mailing = start()
    mailing.messages.update(state="in_doubt")
    Mailing.objects.update(state="sending")
    cancel(mailing, now=now)
    with pytest.raises(Refused):
        settle_doubts(mailing.messages.all(), decision="again", now=now)
    assert states(mailing) == ["in_doubt"]
    assert not Settlement.objects.exists()
    assert settle_doubts(mailing.messages.all(), decision="dropped", now=now) == 1


def test_what_the_server_said_is_forgotten_with_the_addresses(doubtful: Mailing, now: dt.datetime) -> None:
    from common.retention import retention_rules

    settle_doubts(doubtful.messages.all(), decision="dropped", now=now)
    rule = next(one for one in retention_rules if one.code == "addresses")
    rule.apply(now, now)
    assert set(Settlement.objects.values_list("reply", flat=True)) == {CLOSED}
    rule.apply(now + DAY, now + DAY)
    assert set(Settlement.objects.values_list("reply", flat=True)) == {""}
    assert not doubtful.messages.exclude(reply="").exists()


def test_another_decision_than_these_is_refused(doubtful: Mailing, now: dt.datetime) -> None:
    with pytest.raises(Refused):
        settle_doubts(doubtful.messages.all(), decision="perhaps", now=now)
    assert states(doubtful).count("in_doubt") == 2
