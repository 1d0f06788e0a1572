"""Integrations: who may use the API, with which tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from common import actions
from common.roles import GIVEN_RIGHTS, INTEGRATOR
from workbench.base import ActionView, FormPage, ObjectMixin, TemplatePage


def integrations() -> QuerySet[User]:
    """Integrations with their tokens."""
    return User.objects.filter(groups__name=INTEGRATOR, is_active=True).order_by("username")


class IntegrationForm(forms.Form):
    username = forms.CharField(
        label=_("Name"),
        max_length=60,
        help_text=_("Which system it is, without spaces: website, kassa, theaterkassa."),
    )


class IntegrationList(TemplatePage):
    permission = "manage_integrations"
    template_name = "workbench/integrations.html"
    page_title = _("API and integrations")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        rows = integrations().prefetch_related("auth_token_set")
        for_privacy = integrations().filter(user_permissions__codename="manage_privacy").values_list("pk", flat=True)
        return super().get_context(integrations=rows, for_privacy=set(for_privacy), now=self.now, **extra)


class IntegrationAdd(FormPage[IntegrationForm]):
    permission = "manage_integrations"
    form_class = IntegrationForm
    page_title = _("Add integration")
    submit_label = _("Add and show token")
    shown: tuple[User, str] | None = None

    def get_breadcrumb(self) -> list[Any]:
        return [(_("API and integrations"), reverse("workbench:integration_list"))]

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().post(request, *args, **kwargs)
        return _token_page(self, *self.shown) if self.shown else response

    def perform(self, form: IntegrationForm) -> str:
        self.shown = actions.add_integration(name=form.cleaned_data["username"], by=self.user)
        return reverse("workbench:integration_list")


class TokenAdd(TemplatePage):
    permission = "manage_integrations"
    http_method_names = ["post"]
    template_name = "workbench/integrations_token.html"

    def post(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        user = get_object_or_404(integrations(), pk=self.kwargs["pk"])
        return _token_page(self, user, actions.add_token(user, by=self.user))


class TokenWithdraw(ActionView):
    permission = "manage_integrations"
    success_message = _("The token no longer works.")

    def perform(self) -> str:
        tokens = AuthToken.objects.filter(user__in=integrations())
        actions.withdraw_token(get_object_or_404(tokens, token_key=self.kwargs["key"]), by=self.user)
        return reverse("workbench:integration_list")


class IntegrationClose(ActionView):
    permission = "manage_integrations"
    success_message = _("The integration has been closed; its tokens no longer work.")

    def perform(self) -> str:
        actions.deactivate_user(get_object_or_404(integrations(), pk=self.kwargs["pk"]), by=self.user)
        return reverse("workbench:integration_list")


class SendingRightsForm(forms.Form):
    rights = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=list(GIVEN_RIGHTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class IntegrationSending(ObjectMixin[User], FormPage[SendingRightsForm]):
    permission = "manage_integrations"
    form_class = SendingRightsForm
    submit_label = _("Save")
    success_message = _("Changed; it holds at once.")

    def get_queryset(self) -> QuerySet[User]:
        return integrations()

    def get_title(self) -> str:
        return str(_("Extra rights of “%(name)s”")) % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return [(_("API and integrations"), reverse("workbench:integration_list"))]

    def get_initial(self) -> dict[str, Any]:
        return {"rights": list(self.object.user_permissions.values_list("codename", flat=True))}

    def perform(self, form: SendingRightsForm) -> str:
        actions.give_rights(self.object, **form.cleaned_data, by=self.user)
        return reverse("workbench:integration_list")


class IntegrationPrivacy(ActionView):
    permission = "manage_integrations"
    success_message = _("Changed; it holds at once.")

    def perform(self) -> str:
        user = get_object_or_404(integrations(), pk=self.kwargs["pk"])
        actions.let_handle_privacy(user, allowed=self.request.POST.get("allowed") == "yes", by=self.user)
        return reverse("workbench:integration_list")


def _token_page(page: TemplatePage, user: User, token: str) -> HttpResponse:
    page.template_name, page.page_title = "workbench/integrations_token.html", _("Token")
    response = page.render(integration=user, token=token)
    response.headers["Cache-Control"] = "no-store"
    return response


urlpatterns = [
    path("integrations/", IntegrationList.as_view(), name="integration_list"),
    path("integrations/add/", IntegrationAdd.as_view(), name="integration_add"),
    path("integrations/<int:pk>/token/", TokenAdd.as_view(), name="token_add"),
    path("integrations/<int:pk>/privacy/", IntegrationPrivacy.as_view(), name="integration_privacy"),
    path("integrations/<int:pk>/sending/", IntegrationSending.as_view(), name="integration_sending"),
    path("integrations/<int:pk>/close/", IntegrationClose.as_view(), name="integration_close"),
    path("integrations/tokens/<str:key>/withdraw/", TokenWithdraw.as_view(), name="token_withdraw"),
]
