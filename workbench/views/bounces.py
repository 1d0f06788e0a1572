"""What mail servers reported about mail that was sent, and what is known of one address."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from customers.models import ContactPoint, Customer
from mailings import actions
from mailings.models import Bounce, Message, Suppression
from workbench.base import ActionView, DetailPage, ListPage, ObjectMixin
from workbench.filters.bounces import BounceFilter
from workbench.tables.bounces import BOUNCE_TONES, BounceTable
from workbench.tables.mailings import MESSAGE_TONES

MOST_ROWS = 50


class _Bounces(ObjectMixin[Bounce]):
    def get_queryset(self) -> QuerySet[Bounce]:
        return Bounce.objects.select_related("message__mailing", "message__customer")


class BounceList(ListPage):
    permission = "manage_mailings"
    page_title = _("Bounces")
    template_name = "workbench/bounces.html"
    lead = _("What mail servers and mail programs told us after a mail was sent: not delivered, spam, away.")
    table_class = BounceTable
    filterset_class = BounceFilter
    empty_icon = "mail-check"
    empty_title = _("Nothing came back")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_queryset(self) -> QuerySet[Bounce]:
        return Bounce.objects.select_related("message__mailing")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        hears = settings.BOUNCE_MAILBOX or settings.BOUNCE_SMTP or settings.ANYMAIL
        return super().get_context(is_deaf=not hears, **extra)


class BouncePage(_Bounces, DetailPage[Bounce]):
    permission = "manage_mailings"
    template_name = "workbench/bounces_page.html"

    def get_title(self) -> Any:
        return self.object.address or _("A report that could not be read")

    def get_breadcrumb(self) -> list[Any]:
        return [
            (_("Mailings"), reverse("workbench:mailing_list")),
            (_("Bounces"), reverse("workbench:bounce_list")),
        ]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        address = self.object.address
        reports = self.get_queryset().filter(address=address)[:MOST_ROWS] if address else [self.object]
        points = ContactPoint.objects.filter(channel=ContactPoint.Channel.EMAIL, value=address or "-")
        customers = Customer.objects.filter(pk__in=points.values("customer")).order_by("last_name", "pk")[:MOST_ROWS]
        sent = Message.objects.filter(customer__in=[one.pk for one in customers], address__iexact=address)
        return super().get_context(
            reports=[(one, BOUNCE_TONES.get(one.kind, "neutral")) for one in reports],
            blocked=Suppression.objects.filter(address=address or "-").first(),
            customers=customers,
            sent=[(one, MESSAGE_TONES[one.state]) for one in sent.select_related("mailing").order_by("-id")[:20]],
            **extra,
        )


class BounceBlock(_Bounces, ActionView):
    permission = "manage_mailings"
    success_message = _("No mail goes to this address any more.")

    def perform(self) -> str:
        actions.suppress_address(self.object.address, detail=self.object.detail, by=self.user, now=self.now)
        return reverse("workbench:bounce_detail", args=[self.object.pk])


urlpatterns = [
    path("mailings/bounces/", BounceList.as_view(), name="bounce_list"),
    path("mailings/bounces/<int:pk>/", BouncePage.as_view(), name="bounce_detail"),
    path("mailings/bounces/<int:pk>/block/", BounceBlock.as_view(), name="bounce_block"),
]
