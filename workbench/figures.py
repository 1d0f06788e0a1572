"""What the dashboard tells: a handful of set-based reads over the last thirty days, each one query."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.urls import reverse

from campaigns.models import Campaign, StepRun, TriggerRun
from common.sql import as_subquery, rows
from common.time import AMSTERDAM, local_date, start_of_day
from customers.consents import ALLOWED, verdicts_sql
from customers.facts import fact_kinds
from customers.models import Channel, Customer, Fact, ImportRun, LedgerCheck, Purpose
from mailings.experiments.results import awaiting_choice
from mailings.models import Experiment, Mailing, Message
from newsletter.models import Edition
from vouchers.models import Redemption, Voucher

DAYS = 30
REACH_CHANNELS = (Channel.EMAIL, Channel.POST, Channel.PHONE)
REACH_IS_FRESH = 300  # seconds; it looks at every customer and changes slowly


def first_day(now: dt.datetime) -> dt.date:
    """Return the first of the days the dashboard looks at; today is the last."""
    return local_date(now) - dt.timedelta(days=DAYS - 1)


def days(now: dt.datetime) -> list[dt.date]:
    """Return all days the dashboard looks at, the oldest first."""
    return [first_day(now) + dt.timedelta(days=number) for number in range(DAYS)]


@dataclass(frozen=True)
class CustomerFigures:
    total: int
    members: int
    new: int  # registered in these days


def customers(now: dt.datetime) -> CustomerFigures:
    """Count the customers, the members among them and the new ones."""
    counts = Customer.objects.aggregate(
        total=Count("pk"),
        members=Count("pk", filter=Q(kind=Customer.Kind.MEMBER)),
        new=Count("pk", filter=Q(registered_on__gte=first_day(now))),
    )
    return CustomerFigures(**counts)


def facts_by_kind(now: dt.datetime) -> dict[str, int]:
    """Return code of a kind -> number of facts; asks per kind, so that the index of (kind, moment) serves."""
    kinds = [kind.code for kind in fact_kinds]
    since = start_of_day(first_day(now))
    found = Fact.objects.filter(kind__in=kinds, occurred_at__gte=since, occurred_at__lte=now)
    return dict(found.order_by().values_list("kind").annotate(Count("pk")))


def sent_per_day(now: dt.datetime) -> dict[dt.date, int]:
    """Return day -> messages sent, by way of the mailings that were under way in these days."""
    since = start_of_day(first_day(now))
    under_way = Mailing.objects.filter(Q(finished_at__isnull=True) | Q(finished_at__gte=since))
    sent = Message.objects.filter(mailing__in=under_way, state=Message.State.SENT, sent_at__gte=since, sent_at__lte=now)
    return dict(sent.order_by().values_list(TruncDate("sent_at", tzinfo=AMSTERDAM)).annotate(Count("pk")))


def not_delivered(now: dt.datetime) -> tuple[int, int]:
    """Return how many messages of the mailings made in these days failed, and how many had an outcome at all."""
    made = Message.objects.filter(mailing__created_at__gte=start_of_day(first_day(now)), mailing__created_at__lte=now)
    failed = made.filter(state=Message.State.FAILED).count()
    return failed, failed + made.filter(state=Message.State.SENT).count()


def clicks_per_day(now: dt.datetime) -> dict[dt.date, int]:
    """Return day -> clicks."""
    since = start_of_day(first_day(now))
    clicks = Fact.objects.filter(kind="click", occurred_at__gte=since, occurred_at__lte=now)
    return dict(clicks.order_by().values_list(TruncDate("occurred_at", tzinfo=AMSTERDAM)).annotate(Count("pk")))


@dataclass(frozen=True)
class VoucherFigures:
    issued: int
    redeemed: int
    discount_cents: int


def vouchers(now: dt.datetime) -> VoucherFigures:
    """Count what was given out and taken in; the discount is that of what stands."""
    since = start_of_day(first_day(now))
    taken = Redemption.objects.standing().filter(redeemed_at__gte=since, redeemed_at__lte=now)
    counts = taken.aggregate(redeemed=Count("pk"), discount=Sum("discount_cents", default=0))
    issued = Voucher.objects.filter(issued_at__gte=since, issued_at__lte=now).count()
    return VoucherFigures(issued, counts["redeemed"], counts["discount"])


@dataclass(frozen=True)
class Reach:
    """How many customers may be reached for marketing over one channel and have an address there."""

    channel: Channel
    count: int


def reach(now: dt.datetime) -> list[Reach]:
    """Return the reach for the first marketing purpose per channel; kept for five minutes."""
    purpose = Purpose.objects.filter(rule=Purpose.Rule.MARKETING).order_by("pk").first()
    if purpose is None:
        return []
    counts: dict[str, int] | None = cache.get("dashboard-reach")
    if counts is None:
        counts = {channel.value: _reach(purpose, channel, now) for channel in REACH_CHANNELS}
        cache.set("dashboard-reach", counts, REACH_IS_FRESH)
    return [Reach(Channel(code), count) for code, count in counts.items()]


def _reach(purpose: Purpose, channel: Channel, now: dt.datetime) -> int:
    everybody = Customer.objects.order_by()
    with_address = {
        Channel.EMAIL: everybody.with_email,
        Channel.POST: everybody.with_address,
        Channel.PHONE: everybody.with_phone,
    }[channel]()
    verdicts = verdicts_sql(as_subquery(with_address.values("pk")), purpose=purpose, channel=channel, as_of=now)
    statement = f"SELECT count(*) AS n FROM ({verdicts}) AS judged WHERE verdict = %(allowed)s"  # noqa: S608 - our own SQL
    return int(rows(statement, {"allowed": ALLOWED})[0]["n"])


def running_campaigns() -> list[Campaign]:
    """Return the campaigns under way with their counts, the fullest first."""
    return list(Campaign.objects.current().with_counts().order_by(F("active_count").desc(), "name")[:6])


def latest_mailings() -> list[dict[str, Any]]:
    """Return the last five mailings: ``mailing``, ``total`` messages, ``sent`` and ``failed`` among them."""
    mailings = list(Mailing.objects.order_by("-pk")[:5])
    counted = Message.objects.filter(mailing__in=mailings).order_by().values("mailing").annotate(
        total=Count("pk"),
        sent=Count("pk", filter=Q(state=Message.State.SENT)),
        failed=Count("pk", filter=Q(state__in=[Message.State.FAILED, Message.State.IN_DOUBT])),
    )  # fmt: skip
    counts = {row["mailing"]: row for row in counted}
    nothing = {"total": 0, "sent": 0, "failed": 0}
    return [{**counts.get(mailing.pk, nothing), "mailing": mailing} for mailing in mailings]


@dataclass(frozen=True)
class Stopped:
    """A trigger or step that did not go out, with its page and the reason in words."""

    name: str
    url: str
    error: str


@dataclass(frozen=True)
class Attention:
    """What waits for a person."""

    in_doubt: int = 0  # messages of which nobody knows whether they arrived
    paused: list[Mailing] = field(default_factory=list)
    awaiting: list[Mailing] = field(default_factory=list)  # the approval of a second person
    to_choose: list[Experiment] = field(default_factory=list)  # A/B tests whose rest waits for somebody's choice
    refused_imports: list[ImportRun] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)  # triggers and steps that went wrong in the last week
    held_editions: list[Edition] = field(default_factory=list)  # planned, and stopped by what was found at the moment
    broken_ledger: LedgerCheck | None = None  # the latest check of the consents, when it found something

    def __bool__(self) -> bool:
        waiting = self.paused or self.awaiting or self.to_choose
        held = self.held_editions
        return bool(self.in_doubt or held or waiting or self.refused_imports or self.stopped or self.broken_ledger)


def attention(now: dt.datetime) -> Attention:
    """Collect what went wrong lately and what waits for a decision."""
    week_ago = now - dt.timedelta(days=7)
    check = LedgerCheck.objects.filter(finished_at__isnull=False).first()
    return Attention(
        in_doubt=Message.objects.filter(state=Message.State.IN_DOUBT).count(),
        paused=list(Mailing.objects.filter(state=Mailing.State.PAUSED)[:5]),
        awaiting=list(Mailing.objects.filter(state=Mailing.State.AWAITS)[:5]),
        to_choose=awaiting_choice(now=now)[:5],
        refused_imports=list(ImportRun.objects.filter(state=ImportRun.State.REFUSED, created_at__gte=week_ago)[:5]),
        stopped=_stopped(since=week_ago),
        held_editions=list(Edition.objects.due(now).exclude(error="").select_related("newsletter")[:5]),
        broken_ledger=check if check and not check.is_whole else None,
    )


def _stopped(*, since: dt.datetime) -> list[Stopped]:
    """Return what went wrong since then and still has not gone well, each once; at most five of each kind."""
    triggers = TriggerRun.objects.filter(ran_at__gte=since).exclude(error="").order_by("-ran_at")
    steps = StepRun.objects.failing().filter(ran_at__gte=since).order_by("-ran_at")
    found: dict[str, Stopped] = {}
    for run in triggers.select_related("trigger__action")[:5]:
        trigger = run.trigger
        name = trigger.action.name if trigger.action else str(trigger)
        url = reverse("workbench:trigger_detail", args=[trigger.pk])
        found.setdefault(url, Stopped(name, url, run.error))
    for taken in steps.select_related("step__campaign", "step__action")[:5]:
        step = taken.step
        url = reverse("workbench:campaign_detail", args=[step.campaign_id])
        found.setdefault(f"{url}#{step.pk}", Stopped(f"{step.campaign}: {step.action}", url, taken.error))
    return list(found.values())
