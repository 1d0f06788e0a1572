"""Privacy: requests and receipts, how long everything is kept, and the register of processing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.personal import personal_tables
from common.retention import retention_rules, ties
from common.time import local_date
from common.traces import traces
from customers.actions import privacy as actions
from customers.models import AccessRequest, Erasure, RetentionRun
from customers.models.privacy import ErasureRequest, RegisterTexts
from customers.privacy.periods import Chosen, chosen_rules
from customers.privacy.register import register
from workbench.base import ActionView, FormPage, TemplatePage
from workbench.forms.privacy import RefuseForm, RegisterForm, ReleaseForm, RetentionForm
from workbench.views.privacy_customers import urlpatterns as customer_patterns

SHOWN = 50
ANSWER_WITHIN = dt.timedelta(days=30)  # AVG 12(3): one month


def overview_url() -> str:
    return reverse("workbench:privacy")


def tabs(page: TemplatePage) -> list[dict[str, Any]]:
    names = {"privacy": _("Requests and receipts"), "register": _("Register of processing")}
    if page.user.has_perm("common.manage_users"):
        names["retention"] = _("Retention periods")
    return [
        {
            "label": label,
            "url": reverse(f"workbench:{name}"),
            "active": page.request.path == reverse(f"workbench:{name}"),
        }
        for name, label in names.items()
    ]


def counted(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Return what a receipt counts in words, the most first; a table that has gone since keeps its own name."""
    words = {table.code: str(table.name) for table in personal_tables} | {one.code: str(one.name) for one in traces}
    named: dict[str, int] = {}
    for code, count in counts.items():
        name = words.get(code, code)
        named[name] = named.get(name, 0) + count
    return sorted(named.items(), key=lambda pair: -pair[1])


class PrivacyOverview(TemplatePage):
    permission = "manage_privacy"
    template_name = "workbench/privacy.html"
    page_title = gettext_lazy("Privacy")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        waiting = ErasureRequest.objects.filter(state=ErasureRequest.State.OPEN).select_related("customer")
        copies = AccessRequest.objects.exclude(state=AccessRequest.State.EXPIRED).select_related("customer")
        receipts = list(Erasure.objects.all()[:SHOWN])
        return super().get_context(
            tabs=tabs(self),
            waiting=[(one, one.asked_at + ANSWER_WITHIN) for one in waiting.order_by("asked_at")[:SHOWN]],
            copies=copies[:SHOWN],
            receipts=[(one, counted(one.counts), sum(one.counts.values())) for one in receipts],
            late=self.now,
            release_form=extra.pop("release_form", None) or ReleaseForm(),
            **extra,
        )


class ErasureRefuse(FormPage[RefuseForm]):
    permission = "manage_privacy"
    form_class = RefuseForm
    page_title = gettext_lazy("Refuse a request to be erased")
    submit_label = gettext_lazy("Refuse and tell the customer")
    success_message = gettext_lazy("Refused; the customer reads your answer in MijnMenu.")

    @cached_property
    def object(self) -> ErasureRequest:
        return get_object_or_404(ErasureRequest, pk=self.kwargs["pk"])

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object  # noqa: B018 - found, or not
        return super().get(request, *args, **kwargs)

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Privacy"), overview_url())]

    def perform(self, form: RefuseForm) -> str:
        actions.refuse_request(self.object, answer=form.cleaned_data["answer"], by=self.user, now=self.now)
        return overview_url()


class AddressRelease(FormPage[ReleaseForm]):
    permission = "manage_privacy"
    form_class = ReleaseForm
    page_title = gettext_lazy("Let an erased address in again")
    submit_label = gettext_lazy("Let in again")
    success_message = gettext_lazy("From now on this address or number can be entered and imported again.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Privacy"), overview_url())]

    def perform(self, form: ReleaseForm) -> str:
        actions.release_address(form.cleaned_data["value"], by=self.user, now=self.now)
        return overview_url()


class Retention(TemplatePage):
    permission = "manage_users"
    template_name = "workbench/privacy_retention.html"
    page_title = gettext_lazy("Retention periods")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        words = {rule.code: rule.name for rule in retention_rules}
        runs = [
            (run, [(words.get(code, code), count) for code, count in run.counts.items() if count])
            for run in RetentionRun.objects.all()[:14]
        ]
        preview = actions.preview_retention(day=local_date(self.now), now=self.now)
        return super().get_context(tabs=tabs(self), preview=preview, ties=list(ties), runs=runs, **extra)


class RetentionChange(FormPage[RetentionForm]):
    permission = "manage_users"
    form_class = RetentionForm
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("It holds from the coming night on.")

    @cached_property
    def chosen(self) -> Chosen:
        found = {one.rule.code: one for one in chosen_rules() if not one.rule.is_fixed}
        if self.kwargs["code"] not in found:
            get_object_or_404(RegisterTexts.objects.none())
        return found[self.kwargs["code"]]

    def get_title(self) -> str:
        return str(self.chosen.rule.name)

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Privacy"), overview_url()), (_("Retention periods"), reverse("workbench:retention"))]

    def get_initial(self) -> dict[str, Any]:
        return {"is_on": self.chosen.is_on, "period": self.chosen.period}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"chosen": self.chosen}

    def perform(self, form: RetentionForm) -> str:
        actions.change_retention(
            self.chosen.rule.code,
            is_on=form.cleaned_data["is_on"],
            period=form.cleaned_data["period"] or 0,
            by=self.user,
            now=self.now,
        )
        return reverse("workbench:retention")


class Register(TemplatePage):
    permission = "manage_privacy"
    template_name = "workbench/privacy_register.html"
    page_title = gettext_lazy("Register of processing")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(tabs=tabs(self), now=self.now, **register(), **extra)


class RegisterChange(FormPage[RegisterForm]):
    permission = "manage_users"
    form_class = RegisterForm
    page_title = gettext_lazy("Texts of the register")
    submit_label = gettext_lazy("Save")
    success_message = gettext_lazy("The texts have been saved.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Privacy"), overview_url()), (_("Register of processing"), reverse("workbench:register"))]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"instance": RegisterTexts.load()}

    def perform(self, form: RegisterForm) -> str:
        actions.save_register_texts(by=self.user, now=self.now, **form.cleaned_data)
        return reverse("workbench:register")


class CopyAgain(ActionView):
    permission = "manage_privacy"

    def perform(self) -> str:
        request = get_object_or_404(AccessRequest.objects.select_related("customer"), pk=self.kwargs["pk"])
        actions.request_access(request.customer, by=self.user, now=self.now)
        messages.success(self.request, _("The copy is tried again; it is ready within some minutes."))
        return overview_url()


urlpatterns = [
    path("privacy/", PrivacyOverview.as_view(), name="privacy"),
    path("privacy/requests/<int:pk>/refuse/", ErasureRefuse.as_view(), name="erasure_refuse"),
    path("privacy/copies/<int:pk>/again/", CopyAgain.as_view(), name="copy_again"),
    path("privacy/release/", AddressRelease.as_view(), name="address_release"),
    path("privacy/retention/", Retention.as_view(), name="retention"),
    path("privacy/retention/<slug:code>/", RetentionChange.as_view(), name="retention_change"),
    path("privacy/register/", Register.as_view(), name="register"),
    path("privacy/register/texts/", RegisterChange.as_view(), name="register_change"),
    *customer_patterns,
]
