"""Triggers, reached from the action they run or the campaign they enrol in."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from campaigns import actions
from campaigns.models import Action, Campaign, Trigger
from campaigns.triggers import TriggerKind, describe, trigger_kinds
from common.errors import Refused
from common.time import local_date
from workbench.base import ActionView, DetailPage, FormPage, ObjectMixin
from workbench.findings import report_of, show, why_not_ready
from workbench.forms.actions import TriggerForm, TriggerKindForm

LAST_RUNS = 30


class _Triggers(ObjectMixin[Trigger]):
    def get_queryset(self) -> QuerySet[Trigger]:
        return Trigger.objects.select_related("action", "action__content", "action__purpose", "campaign", "selection")

    @property
    def page_url(self) -> str:
        return reverse("workbench:trigger_detail", args=[self.object.pk])


def owner_crumbs(owner: Action | Campaign) -> list[Any]:
    if isinstance(owner, Action):
        page = reverse("workbench:action_detail", args=[owner.pk])
        return [(_("Actions"), reverse("workbench:action_list")), (owner.name, page)]
    page = reverse("workbench:campaign_detail", args=[owner.pk])
    return [(_("Campaigns"), reverse("workbench:campaign_list")), (owner.name, page)]


class TriggerAdd(FormPage[TriggerForm]):
    permission = "manage_campaigns"
    template_name = "workbench/triggers_add.html"
    partial_name = "workbench/_triggers_form.html"
    page_title = _("New trigger")
    submit_label = _("Make the trigger")
    success_message = _("The trigger has been made. It is still off: turn it on when you are ready.")

    @cached_property
    def owner(self) -> Action | Campaign:
        if "action_pk" in self.kwargs:
            return get_object_or_404(Action, pk=self.kwargs["action_pk"])
        return get_object_or_404(Campaign, pk=self.kwargs["campaign_pk"])

    @cached_property
    def kind(self) -> TriggerKind:
        return trigger_kinds.get(self.request.GET.get("kind", "")) or next(iter(trigger_kinds))

    def get_breadcrumb(self) -> list[Any]:
        return owner_crumbs(self.owner)

    def get_cancel_url(self) -> str:
        return str(owner_crumbs(self.owner)[-1][1])

    def make_form(self) -> TriggerForm:
        # A page that leads here may fill in what it knows: settings by their name, the name, the selection.
        asked = self.request.GET
        initial = {f"params_{name}": asked[name] for name in self.kind.form.base_fields if name in asked}
        initial |= {name: asked[name] for name in ("name", "selection") if asked.get(name)}
        return TriggerForm(self.request.POST or None, kind=self.kind, initial=initial)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        kind_form = TriggerKindForm(initial={"kind": self.kind.code})
        return super().get_context(kind=self.kind, kind_form=kind_form, owner=self.owner, **extra)

    def perform(self, form: TriggerForm) -> str:
        try:
            trigger = actions.create_trigger(
                name=form.cleaned_data["name"],
                kind=self.kind.code,
                params=form.params,
                selection=form.cleaned_data["selection"],
                action=self.owner if isinstance(self.owner, Action) else None,
                campaign=self.owner if isinstance(self.owner, Campaign) else None,
                by=self.user,
                now=self.now,
            )
        except Refused as refused:
            raise _on_its_field(refused, form) from refused
        return reverse("workbench:trigger_detail", args=[trigger.pk])


class TriggerPage(_Triggers, DetailPage[Trigger]):
    permission = "manage_campaigns"
    template_name = "workbench/triggers_page.html"

    def get_breadcrumb(self) -> list[Any]:
        owner = self.object.action or self.object.campaign
        return owner_crumbs(owner) if owner else []

    def get_context(self, **extra: Any) -> dict[str, Any]:
        trigger, kind = self.object, trigger_kinds.get(self.object.kind)
        today = local_date(self.now)
        runs = list(trigger.runs.select_related("mailing")[:LAST_RUNS])
        return super().get_context(
            kind=kind,
            words=describe([trigger])[trigger.pk],
            runs=runs,
            has_run_today=any(run.due_on == today and not run.error for run in runs),
            today=today,
            today_count=actions.candidates_of(trigger, day=today, now=self.now).count() if kind else None,
            **extra,
        )


class TriggerChange(_Triggers, FormPage[TriggerForm]):
    permission = "manage_campaigns"
    submit_label = _("Save")
    success_message = _("The trigger has been changed.")

    def get_title(self) -> str:
        return str(_("Change “%(name)s”")) % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        owner = self.object.action or self.object.campaign
        return [*(owner_crumbs(owner) if owner else []), (self.object.name, self.page_url)]

    def get_cancel_url(self) -> str:
        return self.page_url

    def make_form(self) -> TriggerForm:
        trigger = self.object
        initial: dict[str, Any] = {f"params_{name}": value for name, value in trigger.params.items()}
        initial |= {"name": trigger.name, "selection": trigger.selection}
        return TriggerForm(self.request.POST or None, kind=actions.kind_of(trigger), initial=initial)

    def perform(self, form: TriggerForm) -> str:
        fields = {"name": form.cleaned_data["name"], "selection": form.cleaned_data["selection"]}
        try:
            actions.change_trigger(self.object, params=form.params, by=self.user, now=self.now, **fields)
        except Refused as refused:
            raise _on_its_field(refused, form) from refused
        return self.page_url


class TriggerCheck(_Triggers, DetailPage[Trigger]):
    """What is wrong with the message that a trigger is about to send by itself; from here it is turned on."""

    permission = "manage_campaigns"
    template_name = "workbench/triggers_check.html"

    def get_queryset(self) -> QuerySet[Trigger]:
        return super().get_queryset().filter(action__isnull=False)

    def get_title(self) -> str:
        return str(_("Check and turn on “%(name)s”")) % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        above = owner_crumbs(self.object.action) if self.object.action else []
        return [*above, (self.object.name, self.page_url)]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        action = cast(Action, self.object.action)
        report = report_of(action, now=self.now)
        return super().get_context(
            findings=show(report, action.content), not_ready=why_not_ready(action), today=local_date(self.now), **extra
        )


class TriggerActivate(_Triggers, ActionView):
    permission = "manage_campaigns"
    success_message = _("The trigger is on, from today.")

    def perform(self) -> str:
        confirmed = self.request.POST.get("confirmed", "")
        actions.activate_trigger(self.object, confirmed=confirmed, by=self.user, now=self.now)
        return self.page_url if self.object.action_id else self.came_from()


class TriggerDeactivate(_Triggers, ActionView):
    permission = "manage_campaigns"
    success_message = _("The trigger is off.")

    def perform(self) -> str:
        actions.deactivate_trigger(self.object, by=self.user, now=self.now)
        return self.came_from()


class TriggerRunNow(_Triggers, ActionView):
    permission = "manage_campaigns"
    success_message = _("The trigger has run for today.")

    def perform(self) -> str:
        actions.run_trigger_today(self.object, by=self.user, now=self.now)
        return self.page_url


class TriggerDelete(_Triggers, ActionView):
    permission = "manage_campaigns"
    success_message = _("The trigger has been deleted.")

    def perform(self) -> str:
        owner = self.object.action or self.object.campaign
        actions.delete_trigger(self.object, by=self.user)
        return str(owner_crumbs(owner)[-1][1]) if owner else reverse("workbench:action_list")


def _on_its_field(refused: Refused, form: TriggerForm) -> Refused:
    """A refusal about a setting belongs to the field that shows it."""
    field = f"params_{refused.field}" if f"params_{refused.field}" in form.fields else refused.field
    return Refused(refused.code, refused.message, field=field)


urlpatterns = [
    path("actions/<int:action_pk>/triggers/add/", TriggerAdd.as_view(), name="action_trigger_add"),
    path("campaigns/<int:campaign_pk>/triggers/add/", TriggerAdd.as_view(), name="campaign_trigger_add"),
    path("triggers/<int:pk>/", TriggerPage.as_view(), name="trigger_detail"),
    path("triggers/<int:pk>/change/", TriggerChange.as_view(), name="trigger_change"),
    path("triggers/<int:pk>/check/", TriggerCheck.as_view(), name="trigger_check"),
    path("triggers/<int:pk>/on/", TriggerActivate.as_view(), name="trigger_activate"),
    path("triggers/<int:pk>/off/", TriggerDeactivate.as_view(), name="trigger_deactivate"),
    path("triggers/<int:pk>/run/", TriggerRunNow.as_view(), name="trigger_run"),
    path("triggers/<int:pk>/delete/", TriggerDelete.as_view(), name="trigger_delete"),
]
