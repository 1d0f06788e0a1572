"""How this organisation sends, and the addresses it must not use."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from common.time import local_date
from mailings import actions
from mailings.models import CapRule, ClosingDay, SendingSettings, Suppression
from workbench.base import ActionView, FormPage, ListPage, ObjectMixin
from workbench.changes import changes_of
from workbench.filters.mailings import SuppressionFilter
from workbench.forms.sending import CapForm, ClosingForm, SendingForm, SuppressionForm
from workbench.tables.mailings import SuppressionTable


class SendingPage(FormPage[SendingForm]):
    permission = "manage_users"
    template_name = "workbench/sending.html"
    form_class = SendingForm
    page_title = _("Sending")
    submit_label = _("Save")
    success_message = _("Saved. It holds for mailings that start from now on.")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"instance": SendingSettings.load()}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = SendingSettings.objects.filter(pk=1).first()
        return super().get_context(
            history=changes_of(current) if current else [],
            caps=CapRule.objects.select_related("purpose"),
            closings=ClosingDay.objects.filter(last_day__gte=local_date(self.now)).select_related("branch"),
            **extra,
        )

    def perform(self, form: SendingForm) -> str:
        actions.change_sending_settings(by=self.user, **form.cleaned_data)
        return reverse("workbench:sending_settings")


class _CapForm(FormPage[CapForm]):
    abstract = True
    form_class = CapForm
    submit_label = _("Save")
    success_message = _("Saved. It holds for what is decided from now on.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sending"), reverse("workbench:sending_settings"))]


class CapAdd(_CapForm):
    permission = "manage_users"
    page_title = _("New limit on messages")

    def get_initial(self) -> dict[str, Any]:
        return {"messages": 3, "days": 7}

    def perform(self, form: CapForm) -> str:
        actions.save_cap_rule(None, **form.cleaned_data, by=self.user)
        return reverse("workbench:sending_settings")


class _Caps(ObjectMixin[CapRule]):
    def get_queryset(self) -> QuerySet[CapRule]:
        return CapRule.objects.all()


class CapChange(_Caps, _CapForm):
    permission = "manage_users"
    template_name = "workbench/sending_cap.html"
    page_title = _("Limit on messages")

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in CapForm.base_fields}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: CapForm) -> str:
        actions.save_cap_rule(self.object, **form.cleaned_data, by=self.user)
        return reverse("workbench:sending_settings")


class CapRemove(_Caps, ActionView):
    permission = "manage_users"
    success_message = _("The limit has been removed.")

    def perform(self) -> str:
        actions.remove_cap_rule(self.object, by=self.user)
        return reverse("workbench:sending_settings")


class _ClosingForm(FormPage[ClosingForm]):
    abstract = True
    form_class = ClosingForm
    submit_label = _("Save")
    success_message = _("Saved. It holds for what starts from now on.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sending"), reverse("workbench:sending_settings"))]


class ClosingAdd(_ClosingForm):
    permission = "manage_users"
    page_title = _("New closing day")

    def perform(self, form: ClosingForm) -> str:
        actions.save_closing_day(None, **form.cleaned_data, by=self.user)
        return reverse("workbench:sending_settings")


class _Closings(ObjectMixin[ClosingDay]):
    def get_queryset(self) -> QuerySet[ClosingDay]:
        return ClosingDay.objects.all()


class ClosingChange(_Closings, _ClosingForm):
    permission = "manage_users"
    template_name = "workbench/sending_closing.html"

    def get_title(self) -> str:
        return self.object.name

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in ClosingForm.base_fields}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: ClosingForm) -> str:
        actions.save_closing_day(self.object, **form.cleaned_data, by=self.user)
        return reverse("workbench:sending_settings")


class ClosingRemove(_Closings, ActionView):
    permission = "manage_users"
    success_message = _("The closing day has been removed.")

    def perform(self) -> str:
        actions.remove_closing_day(self.object, by=self.user)
        return reverse("workbench:sending_settings")


class SuppressionList(ListPage):
    permission = "manage_mailings"
    page_title = _("Blocked addresses")
    lead = _("Addresses that no mail goes to: refused for good by a mail server, reported as spam, or blocked by you.")
    table_class = SuppressionTable
    filterset_class = SuppressionFilter
    create_label = _("Block an address")
    empty_icon = "shield-check"
    empty_title = _("No address is blocked")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Mailings"), reverse("workbench:mailing_list"))]

    def get_queryset(self) -> QuerySet[Suppression]:
        return Suppression.objects.in_force()

    def get_create_url(self) -> str:
        return reverse("workbench:suppression_add")


class SuppressionAdd(FormPage[SuppressionForm]):
    permission = "manage_mailings"
    form_class = SuppressionForm
    page_title = _("Block an address")
    submit_label = _("Block")
    success_message = _("No mail goes to this address any more.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Blocked addresses"), reverse("workbench:suppression_list"))]

    def get_cancel_url(self) -> str:
        return reverse("workbench:suppression_list")

    def perform(self, form: SuppressionForm) -> str:
        actions.suppress_address(**form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:suppression_list")


class SuppressionRelease(ObjectMixin[Suppression], ActionView):
    permission = "manage_mailings"
    success_message = _("The address may be used again.")

    def get_queryset(self) -> QuerySet[Suppression]:
        return Suppression.objects.all()

    def perform(self) -> str:
        actions.release_suppression(self.object, by=self.user, now=self.now)
        return reverse("workbench:suppression_list")


urlpatterns = [
    path("sending/", SendingPage.as_view(), name="sending_settings"),
    path("sending/limits/add/", CapAdd.as_view(), name="cap_add"),
    path("sending/limits/<int:pk>/", CapChange.as_view(), name="cap_change"),
    path("sending/limits/<int:pk>/remove/", CapRemove.as_view(), name="cap_remove"),
    path("sending/closing-days/add/", ClosingAdd.as_view(), name="closing_add"),
    path("sending/closing-days/<int:pk>/", ClosingChange.as_view(), name="closing_change"),
    path("sending/closing-days/<int:pk>/remove/", ClosingRemove.as_view(), name="closing_remove"),
    path("mailings/blocked/", SuppressionList.as_view(), name="suppression_list"),
    path("mailings/blocked/add/", SuppressionAdd.as_view(), name="suppression_add"),
    path("mailings/blocked/<int:pk>/release/", SuppressionRelease.as_view(), name="suppression_release"),
]
