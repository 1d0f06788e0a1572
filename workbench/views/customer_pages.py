"""One customer ("ken uw klant"): overview, timeline, messages, consents and vouchers, each with its own address."""

from __future__ import annotations

import datetime as dt
from typing import Any

from dateutil.relativedelta import relativedelta
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Enrolment
from common.time import AMSTERDAM, local_date, start_of_day
from customers.consents import State, channels_of, record_consent, states_of
from customers.facts import fact_kinds
from customers.models import Consent, Customer, CustomerChange, Fact, FactTotal, World
from labels.actions import give_label, take_label
from labels.models import Assignment, Label
from mailings.models import Decision, Message
from vouchers.models import Voucher
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin
from workbench.forms.customers import ALL_CHANNELS, ConsentForm, GiveLabelForm, NewCustomerForm
from workbench.tables.customers import KIND_TONES
from workbench.timeline import CONSENT_TONES, MESSAGE_TONES, Timeline

MONTHS_SHOWN = 24
KINDS_SHOWN = 4
WORLDS_SHOWN = 6
PAGE = 25
LEDGER_SHOWN = 200


def page_of(customer: Customer, part: str = "detail") -> str:
    return reverse(f"workbench:customer_{part}", args=[customer.pk])


class CustomerMixin(ObjectMixin[Customer]):
    def get_queryset(self) -> QuerySet[Customer]:
        return Customer.objects.with_contact_values().select_related("branch", "household", "source")


def head(customer: Customer, part: str, now: dt.datetime) -> dict[str, Any]:
    """Return what the head of each page of a customer shows, with the tab of ``part`` lit."""
    names = {
        "detail": _("Overview"),
        "timeline": _("Timeline"),
        "messages": _("Messages"),
        "consents": _("Consents"),
        "vouchers": _("Vouchers"),
    }
    return {
        "tabs": [
            {"label": name, "url": page_of(customer, known), "active": known == part} for known, name in names.items()
        ],
        "kind_tone": KIND_TONES[customer.kind],
        "age": customer.age_on(local_date(now)),
    }


class CustomerPage(CustomerMixin, DetailPage[Customer]):
    """What the pages of a customer share."""

    abstract = True
    part = "detail"

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Customers"), reverse("workbench:customer_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(**head(self.object, self.part, self.now), **extra)


class CustomerDetail(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_overview.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        customer = self.object
        totals = list(FactTotal.objects.filter(customer=customer).order_by("-last_at"))
        return super().get_context(
            totals=[{"kind": fact_kinds.get(total.kind), "total": total} for total in totals][:KINDS_SHOWN],
            members=self._household(),
            subscriptions=self._subscriptions(),
            labels=self._labels(),
            label_form=GiveLabelForm(customer=customer) if self._may_change() else None,
            worlds=self._worlds(),
            activity=self._activity([total.kind for total in totals]),
            recent=Timeline(customer)[:8],
            changes=self._changes(),
            **extra,
        )

    def _may_change(self) -> bool:
        return self.user.has_perm("common.change_customers")

    def _household(self) -> list[dict[str, Any]]:
        if self.object.household_id is None:
            return []
        others = Customer.objects.filter(household=self.object.household_id).exclude(pk=self.object.pk)
        today = local_date(self.now)
        return [{"customer": one, "age": one.age_on(today)} for one in others.order_by("birth_date", "pk")[:12]]

    def _subscriptions(self) -> list[dict[str, Any]]:
        today = local_date(self.now)
        return [
            {"subscription": one, "is_active": one.is_active_on(today), "is_future": one.started_on > today}
            for one in self.object.subscriptions.order_by("-started_on", "-pk")[:20]
        ]

    def _labels(self) -> list[Assignment]:
        held = Assignment.objects.open().filter(customer=self.object).select_related("label__group")
        return sorted(held, key=lambda one: (one.label.kind == Label.Kind.SYSTEM, str(one.label)))

    def _worlds(self) -> dict[str, Any]:
        """Return what of the worlds was taken in the months shown, the favourites first."""
        facts = Fact.objects.of(self.object).filter(occurred_at__gte=self._start()).exclude(world="").order_by()
        found = facts.values_list("world").annotate(many=Sum("quantity")).order_by("-many", "world")
        names = dict(World.objects.values_list("code", "name"))
        rows = [{"label": names.get(world, world), "value": many} for world, many in found[:WORLDS_SHOWN]]
        return {"rows": rows, "max": max((row["value"] for row in rows), default=1)}

    def _activity(self, kinds: list[str]) -> dict[str, Any] | None:
        """Return how often things happened in each month, a bar per kind."""
        month = TruncMonth("occurred_at", tzinfo=AMSTERDAM)
        facts = Fact.objects.of(self.object).filter(occurred_at__gte=self._start()).order_by()
        found = facts.annotate(month=month).values_list("month", "kind").annotate(Count("pk"))
        counts = {(moment.date(), kind): many for moment, kind, many in found}
        shown = [kind for kind in kinds if any(kind == known for _month, known in counts)][:KINDS_SHOWN]
        if not shown:
            return None
        first = local_date(self._start())
        months = [first + relativedelta(months=step) for step in range(MONTHS_SHOWN)]
        return {
            "labels": [date_format(day, "b Y") for day in months],
            "datasets": [
                {
                    "label": str(kind.name) if (kind := fact_kinds.get(code)) else code,
                    "data": [counts.get((day, code), 0) for day in months],
                }
                for code in shown
            ],
        }

    def _start(self) -> dt.datetime:
        this_month = local_date(self.now).replace(day=1)
        return start_of_day(this_month - relativedelta(months=MONTHS_SHOWN - 1))

    def _changes(self) -> list[dict[str, Any]]:
        """Return what people changed lately, in words."""
        fields = {name: str(field.label) for name, field in NewCustomerForm.base_fields.items()}
        return [
            {
                "change": change,
                "parts": [
                    {"field": fields.get(name, name), "before": before, "after": after}
                    for name, (before, after) in change.fields.items()
                ],
            }
            for change in CustomerChange.objects.filter(customer=self.object)[:5]
        ]


class CustomerTimeline(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_timeline.html"
    partial_name = "workbench/_customers_timeline.html"
    part = "timeline"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        everything = Timeline(self.object)
        kinds = everything.choices()
        kind = self.request.GET.get("kind", "")
        if kind not in dict(kinds):
            kind = ""
        shown: Any = Timeline(self.object, kind)  # what a Paginator asks for, in fewer queries than it thinks
        shown.counts = everything.counts
        return super().get_context(
            moments=Paginator(shown, PAGE).get_page(self.request.GET.get("page")), kinds=kinds, kind=kind, **extra
        )


class CustomerMessages(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_messages.html"
    partial_name = "workbench/_customers_messages.html"
    part = "messages"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        decisions = Decision.objects.filter(customer=self.object).select_related("mailing__purpose")
        page = Paginator(decisions.order_by("-decided_at", "-pk"), PAGE).get_page(self.request.GET.get("page"))
        mailings = [decision.mailing_id for decision in page]
        sent = Message.objects.filter(customer=self.object, mailing__in=mailings).annotate(many=Count("clicks"))
        by_mailing = {message.mailing_id: message for message in sent}
        return super().get_context(
            page=page,
            rows=[self._row(decision, by_mailing.get(decision.mailing_id)) for decision in page],
            enrolments=Enrolment.objects.of(self.object)[:20],
            **extra,
        )

    def _row(self, decision: Decision, message: Message | None) -> dict[str, Any]:
        refused = decision.outcome != Decision.Outcome.ACCEPTED
        tone = "neutral" if refused or message is None else MESSAGE_TONES.get(message.state, "info")
        return {"decision": decision, "message": message, "refused": refused, "tone": tone}


def consents(customer: Customer, now: dt.datetime) -> dict[str, Any]:
    """Return the present states, channels of a purpose about which the same holds together, and the ledger."""
    together: dict[tuple[Any, str], list[State]] = {}
    for state in states_of(customer, now=now):
        together.setdefault((state.purpose, state.explanation), []).append(state)
    states = [
        (purpose, {"channels": ", ".join(str(one.channel.label) for one in same), "state": same[0]})
        for (purpose, _explanation), same in together.items()
    ]
    ledger = Consent.objects.filter(customer=customer).select_related("purpose", "source")
    shown = ledger.order_by("-event_at", "-pk")[:LEDGER_SHOWN]
    return {"states": states, "ledger": [(row, CONSENT_TONES[row.state]) for row in shown]}


class CustomerConsents(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_consents.html"
    part = "consents"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(form=ConsentForm(), **consents(self.object, self.now), **extra)


class ConsentRecord(CustomerMixin, FormPage[ConsentForm]):
    """Add what was said; for all channels it is a row each. What is not in order comes back in the same page."""

    permission = "change_customers"
    template_name = "workbench/customers_consents.html"
    form_class = ConsentForm
    http_method_names = ["post"]

    def get_title(self) -> str:
        return str(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        shown = head(self.object, "consents", self.now) | consents(self.object, self.now)
        return super().get_context(object=self.object, **shown, **extra)

    def perform(self, form: ConsentForm) -> str:
        said = form.cleaned_data
        purpose = said["purpose"]
        channels = channels_of(purpose) if said["channel"] == ALL_CHANNELS else [said["channel"]]
        for channel in channels:
            record_consent(
                self.object,
                purpose=purpose,
                channel=channel,
                state=said["state"],
                source_code=said["source"],
                actor=self.user.get_full_name() or self.user.get_username(),
                event_at=said["event_at"] or self.now,
                wording_version=said["wording_version"],
                evidence={"note": said["note"]} if said["note"] else None,
            )
        messages.success(self.request, _("This has been recorded and holds from now on."))
        return page_of(self.object, "consents")


class CustomerVouchers(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_vouchers.html"
    part = "vouchers"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        vouchers = (
            Voucher.objects.filter(customer=self.object).select_related("definition").order_by("-issued_at", "-pk")
        )
        page = Paginator(vouchers, PAGE).get_page(self.request.GET.get("page"))
        today = local_date(self.now)
        return super().get_context(
            page=page,
            rows=[(voucher, bool(voucher.valid_until and voucher.valid_until < today)) for voucher in page],
            **extra,
        )


class LabelGive(CustomerMixin, ActionView):
    permission = "change_customers"

    def perform(self) -> str:
        form = GiveLabelForm(self.request.POST, customer=self.object)
        if form.is_valid():
            label = form.cleaned_data["label"]
            chosen = Customer.objects.filter(pk=self.object.pk)
            give_label(label, chosen, by=self.user.get_full_name() or self.user.get_username(), now=self.now)
            messages.success(self.request, _("The label “%s” has been given.") % label)
        else:
            messages.error(self.request, _("Choose a label first."))
        return page_of(self.object)


class LabelTake(CustomerMixin, ActionView):
    permission = "change_customers"
    success_message = gettext_lazy("The label has been taken away.")

    def perform(self) -> str:
        label = get_object_or_404(Label.objects.for_hand(), pk=self.kwargs["label"])
        chosen = Customer.objects.filter(pk=self.object.pk)
        take_label(label, chosen, by=self.user.get_full_name() or self.user.get_username(), now=self.now)
        return page_of(self.object)


urlpatterns = [
    path("customers/<int:pk>/", CustomerDetail.as_view(), name="customer_detail"),
    path("customers/<int:pk>/timeline/", CustomerTimeline.as_view(), name="customer_timeline"),
    path("customers/<int:pk>/messages/", CustomerMessages.as_view(), name="customer_messages"),
    path("customers/<int:pk>/consents/", CustomerConsents.as_view(), name="customer_consents"),
    path("customers/<int:pk>/consents/record/", ConsentRecord.as_view(), name="customer_consent_record"),
    path("customers/<int:pk>/vouchers/", CustomerVouchers.as_view(), name="customer_vouchers"),
    path("customers/<int:pk>/labels/give/", LabelGive.as_view(), name="customer_label_give"),
    path("customers/<int:pk>/labels/<int:label>/take/", LabelTake.as_view(), name="customer_label_take"),
]
