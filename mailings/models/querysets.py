"""Reads of mailings and messages, for lists and reports."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce, TruncHour

WAITING = ("queued", "claimed", "sending", "deferred")


class MailingQuerySet(models.QuerySet[Any]):
    """Mailings with their figures."""

    def with_counts(self) -> MailingQuerySet:
        """Add ``message_count``, ``waiting_count``, ``sent_count``, ``failed_count``, ``doubt_count``."""
        found: MailingQuerySet = self.annotate(
            message_count=_messages(),
            waiting_count=_messages(state__in=WAITING),
            sent_count=_messages(state="sent"),
            failed_count=_messages(state="failed"),
            doubt_count=_messages(state="in_doubt"),
        )
        return found


def _messages(**conditions: Any) -> Coalesce:
    from mailings.models.mailings import Message  # a manager is named inside the class it reads

    found = Message.objects.filter(mailing=OuterRef("pk"), **conditions).order_by().values("mailing")
    return Coalesce(Subquery(found.annotate(n=Count("id")).values("n")), 0)


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
        from mailings.models.feedback import MachineClick  # a manager is named inside the class it reads

        machines = MachineClick.objects.filter(link=OuterRef("pk")).order_by().values("link")
        found: LinkQuerySet = self.annotate(
            click_count=Count("clicks"),
            reader_count=Count("clicks__message", distinct=True),
            machine_count=Coalesce(Subquery(machines.annotate(n=Count("id")).values("n")), 0),
        )
        return found.order_by("-reader_count", "position")


class SuppressionQuerySet(models.QuerySet[Any]):
    """Blocked addresses."""

    def in_force(self) -> SuppressionQuerySet:
        """Suppressions that nobody released."""
        return self.filter(released_at=None)
