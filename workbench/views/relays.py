"""The mail servers over which mailings leave, and how fast mail goes to which domain."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from mailings import actions
from mailings.delivery import try_out, wrong_with
from mailings.dkim import signers, signers_of
from mailings.models import DomainLimit, HouseStyle, Relay, SendingSettings
from workbench.base import ActionView, FormPage, ObjectMixin, TemplatePage
from workbench.changes import changes_of
from workbench.forms.relays import DomainLimitForm, RelayForm

LIMIT_SAVED = _("Saved. What waits for its turn already keeps to it within ten minutes.")


class RelayList(TemplatePage):
    permission = "manage_users"
    template_name = "workbench/relays.html"
    page_title = _("Mail servers")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Sending"), reverse("workbench:sending_settings"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        relays = list(Relay.objects.all())
        return super().get_context(
            relays=relays,
            is_none_in_use=bool(relays) and not any(one.is_active and one.is_known for one in relays),
            limits=DomainLimit.objects.all(),
            signers=signers(),
            senders=_senders(),
            **extra,
        )


def _senders() -> list[tuple[str, str]]:
    """Return each address that mails come from, and the domain that signs them; empty when none does."""
    own = HouseStyle.objects.exclude(sender_email="").values_list("sender_email", flat=True)
    addresses = sorted({SendingSettings.load().sender_email, *own})
    return [(address, found[0].domain if (found := signers_of(address)) else "") for address in addresses]


class RecordsCheck(ActionView):
    permission = "manage_users"

    def perform(self) -> str:
        for signer in signers():
            if words := wrong_with(signer):
                messages.error(self.request, f"{signer.place}: {words}")
            else:
                messages.success(self.request, gettext("%s is published as it should be.") % signer.place)
        return reverse("workbench:relay_list")


class _Form(FormPage[Any]):
    abstract = True
    submit_label = _("Save")
    success_message = _("Saved. Workers keep to it within seconds.")

    def get_breadcrumb(self) -> list[Any]:
        return [
            (_("Sending"), reverse("workbench:sending_settings")),
            (_("Mail servers"), reverse("workbench:relay_list")),
        ]


class RelayAdd(_Form):
    permission = "manage_users"
    form_class = RelayForm
    page_title = _("New mail server")

    def get_initial(self) -> dict[str, Any]:
        return {"variable": "EMAIL_URL", "weight": 1, "connections": 16, "is_active": True}

    def perform(self, form: RelayForm) -> str:
        actions.save_relay(None, **form.cleaned_data, by=self.user)
        return reverse("workbench:relay_list")


class _Relays(ObjectMixin[Relay]):
    def get_queryset(self) -> QuerySet[Relay]:
        return Relay.objects.all()


class RelayChange(_Relays, _Form):
    permission = "manage_users"
    template_name = "workbench/relays_page.html"
    form_class = RelayForm
    page_title = _("Mail server")

    def get_initial(self) -> dict[str, Any]:
        return {name: getattr(self.object, name) for name in RelayForm.base_fields}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: RelayForm) -> str:
        actions.save_relay(self.object, **form.cleaned_data, by=self.user)
        return reverse("workbench:relay_list")


class RelayTry(_Relays, ActionView):
    permission = "manage_users"

    def perform(self) -> str:
        relay = self.object
        if not relay.is_known:
            messages.error(self.request, gettext("The setting %s is not there.") % relay.variable)
        elif words := try_out(relay.variable):
            messages.error(self.request, gettext("That did not work: %s") % words[:300])
        else:
            told = (
                gettext("The settings are complete. Whether the provider takes them shows at the first message.")
                if relay.provider
                else gettext("The mail server answers and lets us in.")
            )
            messages.success(self.request, told)
        return reverse("workbench:relay_change", args=[relay.pk])


class RelayRemove(_Relays, ActionView):
    permission = "manage_users"
    success_message = _("The mail server is used no more.")

    def perform(self) -> str:
        actions.remove_relay(self.object, by=self.user)
        return reverse("workbench:relay_list")


class DomainLimitAdd(_Form):
    permission = "manage_users"
    form_class = DomainLimitForm
    page_title = _("New limit of a mail domain")
    success_message = LIMIT_SAVED

    def perform(self, form: DomainLimitForm) -> str:
        actions.save_domain_limit(None, **form.cleaned_data, by=self.user)
        return reverse("workbench:relay_list")


class _Limits(ObjectMixin[DomainLimit]):
    def get_queryset(self) -> QuerySet[DomainLimit]:
        return DomainLimit.objects.all()


class DomainLimitChange(_Limits, _Form):
    permission = "manage_users"
    template_name = "workbench/relays_limit.html"
    form_class = DomainLimitForm
    page_title = _("Limit of a mail domain")
    success_message = LIMIT_SAVED

    def get_initial(self) -> dict[str, Any]:
        return {"domain": self.object.domain, "per_minute": self.object.per_minute}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        return super().get_context(object=self.object, history=changes_of(self.object), **extra)

    def perform(self, form: DomainLimitForm) -> str:
        actions.save_domain_limit(self.object, **form.cleaned_data, by=self.user)
        return reverse("workbench:relay_list")


class DomainLimitRemove(_Limits, ActionView):
    permission = "manage_users"
    success_message = _("The limit has been removed.")

    def perform(self) -> str:
        actions.remove_domain_limit(self.object, by=self.user)
        return reverse("workbench:relay_list")


urlpatterns = [
    path("sending/servers/", RelayList.as_view(), name="relay_list"),
    path("sending/servers/add/", RelayAdd.as_view(), name="relay_add"),
    path("sending/servers/records/", RecordsCheck.as_view(), name="relay_records"),
    path("sending/servers/<int:pk>/", RelayChange.as_view(), name="relay_change"),
    path("sending/servers/<int:pk>/try/", RelayTry.as_view(), name="relay_try"),
    path("sending/servers/<int:pk>/remove/", RelayRemove.as_view(), name="relay_remove"),
    path("sending/domains/add/", DomainLimitAdd.as_view(), name="domain_limit_add"),
    path("sending/domains/<int:pk>/", DomainLimitChange.as_view(), name="domain_limit_change"),
    path("sending/domains/<int:pk>/remove/", DomainLimitRemove.as_view(), name="domain_limit_remove"),
]
