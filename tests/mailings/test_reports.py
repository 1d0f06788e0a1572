import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from customers.models import Customer
from mailings.actions import plan_experiment, set_arms
from mailings.gate import HoldOut
from mailings.models import Arm, Bounce, Mailing, Message
from mailings.reports import (
    Scope,
    Share,
    afterwards,
    compare,
    course,
    difference,
    figures,
    funnel,
    groups,
    link_figures,
    people,
)
from mailings.reports.groups import whole
from tests.factories import BranchFactory, CustomerFactory, FactFactory, follow_link

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def send(mailing: Mailing, at: dt.datetime) -> list[Message]:
    """Let every message of a mailing have left at this moment."""
    mailing.messages.update(state="sent", sent_at=at, state_at=at)
    return list(mailing.messages.order_by("customer__number"))


def loan(customer: Customer | int, at: dt.datetime, **fields: Any) -> None:
    pk = customer if isinstance(customer, int) else customer.pk
    FactFactory(customer_id=pk, occurred_at=at, **fields)


def by_group(scope: Scope, dimension: str) -> dict[str, tuple[int, int, int, int]]:
    return {
        group.key: (group.sent, group.bounced, group.clicked, group.did)
        for group in groups(scope)
        if group.dimension == dimension
    }


def test_the_funnel_goes_from_candidates_to_what_people_did(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(4)
    CustomerFactory(kind="prospect")
    mailing = start()
    first, second, third, _fourth = send(mailing, now)
    follow_link(first, now=now + HOUR)
    follow_link(first, now=now + 2 * HOUR)
    Bounce.objects.create(message=third, address=third.address, kind="hard", received_at=now, source="smtp", key="1")
    Bounce.objects.create(
        message=second, address=second.address, kind="delayed", received_at=now, source="smtp", key="2"
    )
    loan(first.customer_id, now + DAY)
    scope = Scope.of([mailing.pk], kind="loan")
    told = funnel(scope, groups(scope))
    assert (told.candidates, told.allowed, told.sent.sent, told.arrived) == (5, 4, 4, 3)
    assert (told.sent.clicked, told.sent.did, told.sent.bounced, told.sent.complained) == (1, 1, 1, 0)


def test_only_what_comes_after_somebodys_own_message_counts(start: Start, readers: Any, now: dt.datetime) -> None:
    early, late = readers(2)
    mailing = start()
    mailing.messages.filter(customer=early).update(state="sent", sent_at=now)
    mailing.messages.filter(customer=late).update(state="sent", sent_at=now + 3 * DAY)
    loan(early, now - HOUR)
    loan(late, now + DAY)  # both before his message
    assert whole(groups(Scope.of([mailing.pk], kind="loan"))).did == 0
    loan(late, now + 3 * DAY + HOUR)
    loan(early, now + 7 * DAY)  # the last moment of seven days counts
    assert whole(groups(Scope.of([mailing.pk], days=7, kind="loan"))).did == 2
    assert whole(groups(Scope.of([mailing.pk], days=1, kind="loan"))).did == 1


def test_a_person_counts_once_however_often_he_does_it(start: Start, readers: Any, now: dt.datetime) -> None:
    [person] = readers(1)
    mailing = start()
    send(mailing, now)
    for days in (1, 2, 3):
        loan(person, now + days * DAY)
    FactFactory(customer=person, kind="ticket", amount_cents=1250, occurred_at=now + DAY)
    FactFactory(customer=person, kind="fee", amount_cents=5800, occurred_at=now + DAY)
    found = {one.kind: (one.people, one.times, one.amount_cents) for one in afterwards(Scope.of([mailing.pk]))}
    assert found["loan"] == (1, 3, 0)
    assert found["ticket"] == (1, 1, 1250)
    assert found["fee"] == (1, 1, 5800)
    assert found[""] == (1, 4, 0)  # contribution is not what a message brings about


def test_clicks_are_no_activity_and_count_within_the_days(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(1)
    mailing = start()
    [message] = send(mailing, now)
    follow_link(message, now=now + 9 * DAY)
    assert whole(groups(Scope.of([mailing.pk], days=7))).clicked == 0
    found = whole(groups(Scope.of([mailing.pk], days=14)))
    assert (found.clicked, found.did) == (1, 0)


def test_of_several_mailings_a_person_and_an_activity_count_once(start: Start, readers: Any, now: dt.datetime) -> None:
    person, _other = readers(2)
    first, second = start(), start()
    send(first, now), send(second, now + DAY)
    loan(person, now + 2 * DAY)
    follow_link(first.messages.get(customer=person), now=now + HOUR)
    follow_link(second.messages.get(customer=person), now=now + 2 * DAY)
    scope = Scope.of([first.pk, second.pk], kind="loan")
    told = funnel(scope, groups(scope))
    assert (told.candidates, told.sent.sent, told.sent.clicked, told.sent.did) == (2, 2, 1, 1)
    assert [(one.kind, one.people, one.times) for one in afterwards(scope)] == [("", 1, 1), ("loan", 1, 1)]


def test_groups_tell_branch_domain_channel_and_audience_apart(start: Start, reader: Any, now: dt.datetime) -> None:
    edam = BranchFactory(name="Edam")
    one = reader(branch=edam, email="een@gmail.example", number="1")
    reader(branch=None, email="twee@ziggo.example", number="2")
    mailing = start()
    first, second = send(mailing, now)
    Message.objects.filter(pk=first.pk).update(audiences=["label:1", "label:2"])
    Message.objects.filter(pk=second.pk).update(audiences=["label:2"])
    follow_link(first, now=now + HOUR)
    loan(one, now + DAY)
    scope = Scope.of([mailing.pk])
    assert by_group(scope, "branch") == {str(edam.pk): (1, 0, 1, 1), "": (1, 0, 0, 0)}
    assert by_group(scope, "domain") == {"gmail.example": (1, 0, 1, 1), "ziggo.example": (1, 0, 0, 0)}
    assert by_group(scope, "channel") == {"email": (2, 0, 1, 1)}
    assert by_group(scope, "audience") == {"label:1": (1, 0, 1, 1), "label:2": (2, 0, 1, 1)}


def test_everybody_behind_a_figure_can_be_listed(start: Start, reader: Any, now: dt.datetime) -> None:
    edam = BranchFactory(name="Edam")
    one, two = reader(branch=edam, email="een@gmail.example", number="1"), reader(email="100%@x.example", number="2")
    refused = CustomerFactory(kind="prospect")
    mailing = start()
    first, second = send(mailing, now)
    Message.objects.filter(pk=first.pk).update(audiences=["label:7"])
    follow_link(second, now=now + HOUR)
    loan(one, now + DAY)
    scope = Scope.of([mailing.pk])

    def who(step: str, **where: Any) -> set[Customer]:
        return set(people(scope, step, **where))

    assert who("candidates") == {one, two, refused}
    assert who("allowed") == who("sent") == who("arrived") == {one, two}
    assert who("clicked") == who("not_did") == {two}
    assert who("did") == who("not_clicked") == {one}
    assert who("bounced") == who("complained") == who("held") == set()
    assert who("sent", branch=str(edam.pk)) == who("sent", domain="gmail.example") == {one}
    assert who("sent", audience="label:7") == {one}
    assert who("sent", branch="") == who("clicked", domain="x.example") == {two}
    [link] = mailing.links.filter(position=0)
    assert who("clicked", link=link.pk) == {two}
    assert who("sent", channel="post") == set()
    follow_link(first, now=now + 20 * DAY)
    assert who("sent", link=link.pk) == {two}  # the figure of a link has those within the days too


def test_figures_and_lists_agree(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(6)
    mailing = start()
    messages = send(mailing, now)
    for message in messages[:3]:
        follow_link(message, now=now + HOUR)
    for message in messages[2:]:
        loan(message.customer_id, now + DAY)
    scope = Scope.of([mailing.pk])
    found = whole(groups(scope))
    for step, figure in (("sent", found.sent), ("clicked", found.clicked), ("did", found.did)):
        assert people(scope, step).count() == figure > 0


def test_the_control_group_is_compared_with_everybody_who_was_drawn(
    start: Start, readers: Any, now: dt.datetime
) -> None:
    readers(60)
    mailing = start(hold_out=HoldOut(40, "action:1"))
    held = set(mailing.decisions.filter(outcome="hold_out").values_list("customer", flat=True))
    messages = send(mailing, now)
    Message.objects.filter(pk=messages[0].pk).update(state="failed", sent_at=None)  # drawn all the same
    for message in messages:
        loan(message.customer_id, now + DAY)
    lucky = min(held)
    loan(lucky, now + DAY)
    found = compare(Scope.of([mailing.pk]))
    assert found is not None
    assert (found.treated, found.held) == (60 - len(held), len(held))
    apart = found.differences["loan"]
    assert (apart.one, apart.other) == (Share(60 - len(held), 60 - len(held)), Share(1, len(held)))
    assert apart.verdict == "more"
    assert apart.is_thin


def test_without_a_control_group_nothing_is_compared(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(3)
    mailing = start()
    send(mailing, now)
    assert compare(Scope.of([mailing.pk])) is None


def test_before_anything_has_left_there_are_candidates_only(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(2)
    scope = Scope.of([start().pk])
    told = funnel(scope, groups(scope))
    assert (told.candidates, told.allowed, told.sent.sent) == (2, 2, 0)
    assert afterwards(scope) == []
    assert course(scope, unit="day", now=now) is None
    assert not people(scope, "sent").exists()


@pytest.mark.parametrize(
    ("one", "other", "lowest", "highest"),
    [  # Newcombe 1998, table II, method 10
        (Share(56, 70), Share(48, 80), 5.24, 33.39),
        (Share(9, 10), Share(3, 10), 17.05, 80.90),
        (Share(6, 7), Share(2, 7), 5.82, 80.62),
        (Share(5, 56), Share(0, 29), -3.81, 19.26),
        (Share(10, 10), Share(0, 20), 67.91, 100.0),
    ],
)
def test_the_interval_is_that_of_newcombe(one: Share, other: Share, lowest: float, highest: float) -> None:
    found = difference(one, other)
    assert found is not None
    assert (round(found.lowest, 1), round(found.highest, 1)) == pytest.approx((lowest, highest), abs=0.1)
    turned = difference(other, one)
    assert turned is not None
    assert (turned.lowest, turned.highest) == pytest.approx((-found.highest, -found.lowest))


def test_no_difference_is_no_difference_shown(db: None) -> None:
    found = difference(Share(50, 1000), Share(6, 100))
    assert found is not None
    assert found.verdict == "unclear"
    assert not found.is_thin
    assert difference(Share(0, 0), Share(1, 2)) is None


def test_the_course_tells_first_clicks_and_first_activities(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(2)
    mailing = start()
    first, second = send(mailing, now)
    for hours in (1, 2, 30):
        follow_link(first, now=now + hours * HOUR)
    follow_link(second, now=now + 25 * HOUR)
    for days in (2, 3):
        loan(first.customer_id, now + days * DAY)
    found = course(Scope.of([mailing.pk], days=7), unit="day", now=now + 30 * DAY)
    assert found is not None
    assert len(found.moments) == 8
    assert found.counts["sent"][:3] == [2, 0, 0]
    assert found.counts["clicked"][:3] == [1, 1, 0]
    assert found.counts["did"][:4] == [0, 0, 1, 0]
    per_hour = course(Scope.of([mailing.pk], days=7), unit="hour", now=now + 30 * DAY)
    assert per_hour is not None
    assert per_hour.is_cut
    assert len(per_hour.moments) == 73
    assert [place for place, count in enumerate(per_hour.counts["clicked"]) if count] == [1, 25]


def test_links_tell_readers_shares_and_programs_apart(start: Start, readers: Any, now: dt.datetime) -> None:
    readers(3)
    mailing = start()
    first, second, _third = send(mailing, now)
    for message in (first, first, second):
        follow_link(message, now=now + HOUR)
    link, *others = link_figures(Scope.of([mailing.pk]))
    assert (link.url, link.readers, link.clicks, link.share) == ("https://www.example.nl/agenda?a=1&b=2", 2, 3, 100.0)
    assert all(other.readers == 0 for other in others)


def test_figures_cost_the_same_for_many_readers_and_mailings(
    start: Start, readers: Any, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    readers(5)
    mailings = [start() for _ in range(3)]
    for mailing in mailings:
        send(mailing, now)
    for asked in ([mailings[0].pk], [mailing.pk for mailing in mailings]):
        scope = Scope.of(asked)
        with django_assert_max_num_queries(12):
            found = figures(scope)
            funnel(scope, found.groups), compare(scope), link_figures(scope)
            course(scope, unit="day", now=now, hours=found.hours)


def test_versions_of_a_test_are_told_apart(
    start: Start, readers: Any, make_content: Callable[..., Any], now: dt.datetime
) -> None:
    readers(40)
    content = make_content()
    experiment = plan_experiment(content, now=now)
    set_arms(experiment, [{"percent": 40}, {"percent": 40, "subject": "Kom je ook?"}], now=now)
    mailing = start(content=content, with_test=True)
    mailing.messages.filter(arm__isnull=False).update(state="sent", sent_at=now)
    one, other = Arm.objects.filter(experiment=experiment)
    reader = mailing.messages.filter(arm=other)[0]
    follow_link(reader, now=now + HOUR)
    scope = Scope.of([mailing.pk])
    found = by_group(scope, "version")
    assert set(found) == {str(one.pk), str(other.pk)}
    assert found[str(other.pk)] == (mailing.messages.filter(arm=other).count(), 0, 1, 0)
    assert {person.pk for person in people(scope, "clicked", version=str(other.pk))} == {reader.customer_id}
    assert not people(scope, "clicked", version=str(one.pk)).exists()
    assert [link_figures(scope, version=arm.pk)[0].readers for arm in (one, other)] == [0, 1]
    start(content=content)  # of several mailings versions say nothing
    assert by_group(Scope.of(Mailing.objects.values_list("pk", flat=True)), "version") == {}
