"""What one customer asks about his data, and what staff do: a copy, restriction, objection, erasure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.actions import privacy as actions
from customers.actions.privacy.choices import RESTRICTED
from customers.consents import states_of
from customers.models import AccessRequest, Customer, CustomerChange
from customers.privacy.copies import count_of, shown_tables
from customers.privacy.persons import identify
from customers.tasks import make_copies
from labels.actions import take_profiling_labels
from workbench.base import ActionView, FormPage, WorkbenchView
from workbench.forms.privacy import EraseForm, ReasonForm
from workbench.views.customers_base import CustomerMixin, CustomerPage, head, page_of

NO = {"no", "nee"}
KINDS = {"pdf": "application/pdf", "json": "application/json"}


def crumbs_to(customer: Customer) -> list[Any]:
    """Return the way to the page about somebody's privacy."""
    own = [(str(customer), page_of(customer)), (_("Privacy"), page_of(customer, "privacy"))]
    return [(_("Customers"), reverse("workbench:customer_list")), *own]


class CustomerPrivacy(CustomerPage):
    permission = "manage_privacy"
    template_name = "workbench/privacy_customer.html"
    part = "privacy"

    def get_context(self, **extra: Any) -> dict[str, Any]:
        customer = self.object
        profiling = [state for state in states_of(customer, now=self.now) if state.purpose.code == "profiling"]
        changes = CustomerChange.objects.filter(customer=customer, fields__has_key="restricted")
        return super().get_context(
            copies=customer.access_requests.all()[:5],
            requests=customer.erasure_requests.all()[:5],
            open_request=customer.erasure_requests.filter(state="open").first(),
            profiling=profiling[0] if profiling else None,
            restrictions=[_told(change) for change in changes[:10]],
            reason_form=ReasonForm(),
            **extra,
        )


def _told(change: CustomerChange) -> dict[str, Any]:
    """Say what a change did: it was written in the language of who made it."""
    return {"change": change, "lifted": change.fields[RESTRICTED][1].lower() in NO}


class _Button(CustomerMixin, ActionView):
    abstract = True
    permission = "manage_privacy"

    def done(self, text: str) -> str:
        messages.success(self.request, text)
        return page_of(self.object, "privacy")


class CopyRequest(_Button):
    permission = "manage_privacy"

    def perform(self) -> str:
        actions.request_access(self.object, by=self.user, now=self.now)
        transaction.on_commit(make_copies.delay, robust=True)
        return self.done(_("The copy is being made; it is ready within some minutes."))


class CopyDownload(WorkbenchView):
    permission = "manage_privacy"

    def get(self, request: HttpRequest, pk: int, kind: str) -> FileResponse:
        copy = get_object_or_404(AccessRequest.objects.select_related("customer"), pk=pk, state="ready")
        if kind not in KINDS or (copy.expires_at and copy.expires_at <= self.now):
            raise Http404
        file = copy.pdf if kind == "pdf" else copy.json
        name = f"inzage-{copy.customer.number}-{localtime(copy.ready_at):%Y-%m-%d}.{kind}"
        response = FileResponse(file.open("rb"), as_attachment=True, filename=name, content_type=KINDS[kind])
        response.headers["Cache-Control"] = "no-store, private"
        return response


class _Restriction(CustomerMixin, FormPage[ReasonForm]):
    abstract = True
    permission = "manage_privacy"
    form_class = ReasonForm

    def get_breadcrumb(self) -> list[Any]:
        return crumbs_to(self.object)


class Restrict(_Restriction):
    permission = "manage_privacy"
    page_title = gettext_lazy("Restrict the use of data")
    submit_label = gettext_lazy("Restrict")
    success_message = gettext_lazy("The data are kept and no longer used: no mail, no labels, no selections.")

    def perform(self, form: ReasonForm) -> str:
        actions.restrict(self.object, reason=form.cleaned_data["reason"], by=self.user, now=self.now)
        return page_of(self.object, "privacy")


class Unrestrict(_Restriction):
    permission = "manage_privacy"
    page_title = gettext_lazy("Lift the restriction")
    submit_label = gettext_lazy("Lift the restriction")
    success_message = gettext_lazy("The data are used again. Tell the customer (AVG 18).")

    def perform(self, form: ReasonForm) -> str:
        actions.unrestrict(self.object, reason=form.cleaned_data["reason"], by=self.user, now=self.now)
        return page_of(self.object, "privacy")


class ProfilingObject(_Button):
    permission = "manage_privacy"

    def perform(self) -> str:
        actions.object_to_profiling(self.object, by=self.user, source_code="workbench", now=self.now)
        taken = take_profiling_labels(self.object, now=self.now)
        return self.done(_("The objection has been recorded; %d labels were taken away.") % taken)


class CustomerErase(CustomerMixin, FormPage[EraseForm]):
    permission = "manage_privacy"
    template_name = "workbench/privacy_erase.html"
    form_class = EraseForm
    page_title = gettext_lazy("Erase this customer")
    submit_label = gettext_lazy("Erase for good")

    def get_breadcrumb(self) -> list[Any]:
        return crumbs_to(self.object)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"customer": self.object}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        persons = identify([self.object.pk], now=self.now)
        found = [(table, count_of(table, persons)) for table in shown_tables()]
        known = head(self.object, "privacy", self.now)
        return super().get_context(
            object=self.object,
            goes=[(table.name, count) for table, count in found if count and table.erase == "delete"],
            stays=[(table.name, count) for table, count in found if count and table.erase == "forget"],
            absorbed=len(persons.ids) - 1,
            **known,
            **extra,
        )

    def perform(self, form: EraseForm) -> str:
        erasure = actions.erase_customer(self.object, ground=form.cleaned_data["ground"], by=self.user, now=self.now)
        total = sum(erasure.counts.values())
        messages.success(self.request, _("Erased: %d rows and files are gone. The receipt is below.") % total)
        return reverse("workbench:privacy")


urlpatterns = [
    path("customers/<int:pk>/privacy/", CustomerPrivacy.as_view(), name="customer_privacy"),
    path("customers/<int:pk>/privacy/copy/", CopyRequest.as_view(), name="copy_request"),
    path("customers/<int:pk>/privacy/restrict/", Restrict.as_view(), name="customer_restrict"),
    path("customers/<int:pk>/privacy/unrestrict/", Unrestrict.as_view(), name="customer_unrestrict"),
    path("customers/<int:pk>/privacy/profiling/", ProfilingObject.as_view(), name="customer_profiling"),
    path("customers/<int:pk>/privacy/erase/", CustomerErase.as_view(), name="customer_erase"),
    path("privacy/copies/<int:pk>/<slug:kind>/", CopyDownload.as_view(), name="copy_download"),
]
