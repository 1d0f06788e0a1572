"""Reads of mailings and messages, for lists and reports."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.db import models
from django.db.models import Count, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncHour

WAITING = ("queued", "claimed", "sending", "deferred")


class MailingQuerySet(models.QuerySet[Any]):
    """Mailings with their figures."""

    def with_counts(self) -> MailingQuerySet:
        """Add ``states`` (state -> messages), of which ``message_count``, ``sent_count`` and so on of a mailing tell;
        counted once for a mailing that is over, however many there are in a list.
        """
        from mailings.models.tallies import MessageStates  # it stands above the class that has this manager

        found: MailingQuerySet = self.annotate(states=MessageStates("pk"))
        return found

    def states_together(self) -> dict[str, int]:
        """Return state -> messages of all of them."""
        total: Counter[str] = Counter()
        for states in self.with_counts().order_by().values_list("states", flat=True):
            total.update(states or {})
        return dict(total)

    def by_count(self, *states: str, is_descending: bool) -> MailingQuerySet:
        """Order by how many messages are in these states, or in any."""
        from mailings.models.tallies import message_count

        count = message_count("pk", *states)
        found: MailingQuerySet = self.order_by(count.desc() if is_descending else count.asc(), "-pk")
        return found


class DecisionQuerySet(models.QuerySet[Any]):
    """Decisions of the gate."""

    def by_outcome(self) -> dict[str, int]:
        """Return outcome -> count."""
        return dict(self.order_by().values_list("outcome").annotate(n=Count("id")))


class MessageQuerySet(models.QuerySet[Any]):
    """Messages."""

    def by_state(self) -> dict[str, int]:
        """Return state -> count."""
        return dict(self.order_by().values_list("state").annotate(n=Count("id")))

    def in_doubt(self) -> MessageQuerySet:
        """Messages of which nobody knows whether they arrived."""
        return self.filter(state="in_doubt")

    def put_off(self, *, now: dt.datetime) -> tuple[int, dt.datetime | None]:
        """Return how many that were not tried yet have to wait for a later moment, and the first such moment; letters
        and calls leave when somebody does them.
        """
        later = self.filter(state="queued", channel__in=("email", "sms"), next_attempt_at__gt=now)
        found = later.order_by().aggregate(n=Count("id"), first=Min("next_attempt_at"))
        return found["n"], found["first"]

    def sent_by_hour(self) -> list[dict[str, Any]]:
        """Return ``{"hour": instant, "count": n}`` for each hour in which some were sent, in order."""
        sent = self.filter(sent_at__isnull=False).annotate(hour=TruncHour("sent_at")).order_by("hour")
        return list(sent.values("hour").annotate(count=Count("id")).values("hour", "count"))

    def failures(self) -> list[dict[str, Any]]:
        """Return ``{"reply": words of the server, "count": n}`` of what failed, the most frequent first, at most 20."""
        failed = self.filter(state="failed").order_by()
        return list(failed.values("reply").annotate(count=Count("id")).order_by("-count", "reply")[:20])


class LinkQuerySet(models.QuerySet[Any]):
    """Links with what came back."""

    def with_clicks(self) -> LinkQuerySet:
        """Add ``click_count``, ``reader_count`` (messages from which it was followed) and ``machine_count``."""
        from mailings.models.feedback import Click, MachineClick  # a manager is named inside the class it reads

        # Each by itself: beside a join with the clicks the programs' would be counted anew for every click.
        clicks = Click.objects.filter(link=OuterRef("pk")).order_by().values("link")
        machines = MachineClick.objects.filter(link=OuterRef("pk")).order_by().values("link")
        found: LinkQuerySet = self.annotate(
            click_count=Coalesce(Subquery(clicks.annotate(n=Count("id")).values("n")), 0),
            reader_count=Coalesce(Subquery(clicks.annotate(n=Count("message", distinct=True)).values("n")), 0),
            machine_count=Coalesce(Subquery(machines.annotate(n=Count("id")).values("n")), 0),
        )
        return found.order_by("-reader_count", "position")


class SuppressionQuerySet(models.QuerySet[Any]):
    """Blocked addresses."""

    def in_force(self) -> SuppressionQuerySet:
        """Suppressions that nobody released."""
        return self.filter(released_at=None)
