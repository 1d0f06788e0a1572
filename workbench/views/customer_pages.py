"""One customer ("ken uw klant"): the overview, what the sources say, and labels; other tabs have their own files."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.errors import Refused
from common.time import local_date
from customers.golden import Said, provenance
from customers.models import Branch, ContactPoint, Customer, CustomerChange, FactTotal, Guardianship, SourceRecord
from customers.timeline import Timeline
from labels.actions import give_label, take_label
from labels.models import Assignment, Label
from labels.shifts import history_of
from workbench import customer_figures
from workbench.base import ActionView
from workbench.customer_words import Line, address_line, lines, name_line, shown
from workbench.forms.customers import GiveLabelForm, field_names
from workbench.shift_words import name_of, told
from workbench.views.customers_base import CustomerMixin, CustomerPage, head, page_of
from workbench.views.customers_consents import ConsentRecord, CustomerConsents
from workbench.views.customers_reached import CustomerMessages, CustomerVouchers
from workbench.views.customers_timeline import CustomerTimeline

__all__ = ["CustomerMixin", "CustomerPage", "head", "page_of", "urlpatterns"]

KINDS_SHOWN = 4
RECENT_SHOWN = 8
SHARED_SHOWN = 6
ENDED_SHOWN = 30
GROUPS_SHOWN = 12
SHIFTS_SHOWN = 12
CHANGES_SHOWN = 25


class CustomerDetail(CustomerPage):
    permission = "view_customers"
    template_name = "workbench/customers_overview.html"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        customer, now = self.object, self.now
        totals = list(FactTotal.objects.filter(customer=customer).order_by("-last_at"))
        kinds = [total.kind for total in totals]
        return super().get_context(
            totals=[customer_figures.of_kind(one) for one in totals[:KINDS_SHOWN]],
            who=self._who(),
            shared=shared_with(customer),
            members=self._household(),
            guardians=self._guardians(),
            subscriptions=self._subscriptions(),
            labels=self._labels(),
            ended_labels=Assignment.objects.filter(customer=customer, until__isnull=False)
            .select_related("label__group")
            .order_by("-until")[:ENDED_SHOWN],
            shifts=self._shifts(),
            label_form=GiveLabelForm(customer=customer) if self._may_change() else None,
            worlds=customer_figures.worlds(customer, now=now),
            activity=customer_figures.activity(customer, kinds, now=now),
            value=customer_figures.value(customer, totals, now=now),
            computed=customer_figures.computed(customer, now=now),
            recent=Timeline(customer).page(RECENT_SHOWN).moments,
            **extra,
        )

    def _may_change(self) -> bool:
        return self.user.has_perm("common.change_customers")

    def _who(self) -> dict[str, Line]:
        """Return whose word each field is."""
        told = provenance(self.object)
        return {**lines(told), "name": name_line(told), "address": address_line(told)}

    def _household(self) -> list[dict[str, Any]]:
        if self.object.household_id is None:
            return []
        others = Customer.objects.filter(household=self.object.household_id).exclude(pk=self.object.pk)
        shown = list(others.order_by("birth_date", "pk")[:12])
        related = Guardianship.objects.filter(child=self.object).values_list("guardian_id", flat=True)
        wards = Guardianship.objects.filter(guardian=self.object).values_list("child_id", flat=True)
        parents, children = set(related), set(wards)
        today = local_date(self.now)
        return [
            {
                "customer": one,
                "age": one.age_on(one.deceased_on or today),
                "relation": _("parent") if one.pk in parents else _("child") if one.pk in children else "",
            }
            for one in shown
        ]

    def _guardians(self) -> dict[str, list[Guardianship]]:
        """Return who answers for this customer, and for whom this customer answers."""
        found = Guardianship.objects.select_related("source")
        present = {"merged_into__isnull": True}
        parents = found.filter(child=self.object, **{f"guardian__{name}": yes for name, yes in present.items()})
        children = found.filter(guardian=self.object, **{f"child__{name}": yes for name, yes in present.items()})
        return {
            "parents": list(parents.select_related("guardian")),
            "children": list(children.select_related("child").order_by("child__birth_date")),
        }

    def _subscriptions(self) -> list[dict[str, Any]]:
        today = local_date(self.now)
        return [
            {"subscription": one, "is_active": one.is_active_on(today), "is_future": one.started_on > today}
            for one in self.object.subscriptions.select_related("source").order_by("-started_on", "-pk")[:20]
        ]

    def _labels(self) -> list[Assignment]:
        held = Assignment.objects.open().filter(customer=self.object).select_related("label__group")
        return sorted(held, key=lambda one: (one.label.kind == Label.Kind.SYSTEM, str(one.label)))

    def _shifts(self) -> list[dict[str, Any]]:
        """Return how the customer moved within the exclusive groups, the latest first."""
        return [
            {
                "group": str(moves[0].scale.group),
                "now": name_of(moves[0].scale, moves[0].became),
                "moves": [told(move) for move in moves[:SHIFTS_SHOWN]],
            }
            for moves in history_of(self.object)[:GROUPS_SHOWN]
        ]


def shared_with(customer: Customer) -> dict[str, list[Customer]]:
    """Return e-mail address or phone number -> who else has it."""
    own = ContactPoint.objects.filter(customer=customer).values("channel", "value")
    points: dict[str, list[Customer]] = {}
    wanted = {row["value"] for row in own}
    if not wanted:
        return points
    others = ContactPoint.objects.filter(value__in=wanted, customer__merged_into__isnull=True)
    for point in others.exclude(customer=customer).select_related("customer")[: SHARED_SHOWN * 2]:
        if len(points.setdefault(point.value, [])) < SHARED_SHOWN:
            points[point.value].append(point.customer)
    return points


class CustomerData(CustomerPage):
    """What each source says of each field, who else uses an address, and what people changed."""

    permission = "view_customers"
    template_name = "workbench/customers_data.html"
    part = "data"

    @cached_property
    def told(self) -> dict[str, Said]:
        return provenance(self.object)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        customer = self.object
        points = ContactPoint.objects.filter(customer=customer).select_related("source")
        shared = shared_with(customer)
        records = (
            SourceRecord.objects.filter(customer=customer).select_related("source").order_by("source__name", "key")
        )
        return super().get_context(
            lines=list(lines(self.told).values()),
            records=records.order_by("source__name", "key"),
            points=[(one, shared.get(one.value, [])) for one in points.order_by("channel", "-is_primary", "value")],
            changes=self._changes(),
            merged=customer.absorbed.order_by("number"),
            **extra,
        )

    def _changes(self) -> list[dict[str, Any]]:
        """Return what people changed lately, in words."""
        names, branches = field_names(), dict(Branch.objects.values_list("code", "name"))

        def said(name: str, text: Any) -> str:
            return shown(name, str(text), branches)

        return [
            {
                "change": change,
                "parts": [
                    {"field": names.get(name, name), "before": said(name, before), "after": said(name, after)}
                    for name, (before, after) in change.fields.items()
                ],
            }
            for change in CustomerChange.objects.filter(customer=self.object).order_by("-changed_at", "-pk")[
                :CHANGES_SHOWN
            ]
        ]


class LabelGive(CustomerMixin, ActionView):
    permission = "change_customers"

    def perform(self) -> str:
        form = GiveLabelForm(self.request.POST, customer=self.object)
        if form.is_valid():
            label = form.cleaned_data["label"]
            chosen = Customer.objects.filter(pk=self.object.pk)
            by = self.user.get_full_name() or self.user.get_username()
            if not give_label(label, chosen, by=by, now=self.now) and self.object.restricted_at:
                raise Refused("restricted", _("The data of this customer are restricted, so no label is given."))
            messages.success(self.request, _("The label “%s” has been given.") % label)
        else:
            messages.error(self.request, _("Choose a label first."))
        return page_of(self.object)


class LabelTake(CustomerMixin, ActionView):
    permission = "change_customers"
    success_message = gettext_lazy("The label has been taken away.")

    def perform(self) -> str:
        label = get_object_or_404(Label, pk=self.kwargs["label"])
        chosen = Customer.objects.filter(pk=self.object.pk)
        take_label(label, chosen, by=self.user.get_full_name() or self.user.get_username(), now=self.now)
        return page_of(self.object)


urlpatterns = [
    path("customers/<int:pk>/", CustomerDetail.as_view(), name="customer_detail"),
    path("customers/<int:pk>/timeline/", CustomerTimeline.as_view(), name="customer_timeline"),
    path("customers/<int:pk>/data/", CustomerData.as_view(), name="customer_data"),
    path("customers/<int:pk>/messages/", CustomerMessages.as_view(), name="customer_messages"),
    path("customers/<int:pk>/consents/", CustomerConsents.as_view(), name="customer_consents"),
    path("customers/<int:pk>/consents/record/", ConsentRecord.as_view(), name="customer_consent_record"),
    path("customers/<int:pk>/vouchers/", CustomerVouchers.as_view(), name="customer_vouchers"),
    path("customers/<int:pk>/labels/give/", LabelGive.as_view(), name="customer_label_give"),
    path("customers/<int:pk>/labels/<int:label>/take/", LabelTake.as_view(), name="customer_label_take"),
]
