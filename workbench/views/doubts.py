"""Messages of which nobody knows whether they arrived, and what staff decide about them: one by one, or all at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.urls import path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from common.errors import Refused
from mailings.actions import settle_doubts
from mailings.models import Message, Settlement
from mailings.tasks import send_queued
from workbench.base import ActionView, ListPage
from workbench.filters.mailings import DoubtFilter
from workbench.tables.mailings import DoubtTable

SETTLED_SHOWN = 20
MAILINGS_SHOWN = 20

Decision = Settlement.Decision


class DoubtList(ListPage):
    permission = "manage_mailings"
    page_title = _("Messages in doubt")
    template_name = "workbench/doubts.html"
    lead = _(
        "The connection was lost at the moment the server had the message. It is never sent again by itself: look it up"
        " in the log of the mail server, and settle it."
    )
    table_class = DoubtTable
    filterset_class = DoubtFilter
    empty_icon = "circle-check"
    empty_title = _("Nothing in doubt")
    empty_text = _("Of every message we know whether it was sent.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_queryset(self) -> QuerySet[Message]:
        found: QuerySet[Message] = Message.objects.in_doubt().select_related("customer", "mailing")
        found = found.defer("mailing__compiled")
        return found.order_by("-state_at", "-pk")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        doubtful = Message.objects.in_doubt().order_by()
        counted = doubtful.values("mailing", "mailing__name").annotate(count=Count("pk"), latest=Max("state_at"))
        per_mailing = counted.order_by("-count", "mailing")
        settled = Settlement.objects.select_related("message__customer", "message__mailing", "settled_by")
        return super().get_context(
            per_mailing=per_mailing[:MAILINGS_SHOWN], settled=settled[:SETTLED_SHOWN], decisions=Decision, **extra
        )


class _Settle(ActionView):
    abstract = True

    def doubtful(self) -> QuerySet[Message]:
        raise NotImplementedError

    @property
    def since(self) -> dt.datetime:
        """Until when the page that was looked at knows: who sends the same form once more decides nothing new."""
        try:
            found = parse_datetime(self.request.POST.get("since", ""))
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise Refused("changed", str(_("Something happened to this message by now. Look again, then settle it.")))
        return found

    def perform(self) -> str:
        decision = self.request.POST.get("decision", "")
        count = settle_doubts(self.doubtful(), decision=decision, by=self.user, now=self.now)
        if decision == Decision.AGAIN:
            transaction.on_commit(send_queued.delay)
        words = ngettext("%(count)d message settled.", "%(count)d messages settled.", count)
        messages.success(self.request, words % {"count": count})
        return reverse("workbench:doubt_list")


class DoubtSettle(_Settle):
    """One message, in the doubt that the page showed; not in one it came into since."""

    permission = "manage_mailings"

    def doubtful(self) -> QuerySet[Message]:
        found = Message.objects.filter(pk=self.kwargs["pk"])
        if found.in_doubt().exclude(state_at=self.since).exists():
            raise Refused("changed", str(_("Something happened to this message by now. Look again, then settle it.")))
        return found.filter(state_at=self.since)


class DoubtSettleAll(_Settle):
    """All of a mailing; as many as the page showed, so that nobody settles what came since."""

    permission = "manage_mailings"

    def doubtful(self) -> QuerySet[Message]:
        found: QuerySet[Message] = Message.objects.filter(mailing=self.kwargs["pk"], state_at__lte=self.since)
        if str(found.in_doubt().count()) != self.request.POST.get("count"):  # type: ignore[attr-defined]
            raise Refused("changed", str(_("There are more or fewer in doubt by now. Look again, then settle them.")))
        return found


urlpatterns = [
    path("mailings/in-doubt/", DoubtList.as_view(), name="doubt_list"),
    path("mailings/messages/<int:pk>/settle/", DoubtSettle.as_view(), name="message_settle"),
    path("mailings/<int:pk>/settle/", DoubtSettleAll.as_view(), name="mailing_settle"),
]
