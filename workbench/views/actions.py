"""Actions: what we do, for which purpose and over which channel; run by hand here, else by a trigger or a step."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from campaigns import actions
from campaigns.models import Action, Campaign
from campaigns.triggers import describe
from customers.models import Customer
from mailings.content import read_items
from mailings.gate import Terms
from mailings.models import Mailing
from selections.compiler import members
from selections.models import Selection
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin
from workbench.filters.actions import ActionFilter
from workbench.findings import Findings, report_of, show, why_not_ready
from workbench.forms.actions import ActionForm, SelectionForm
from workbench.funnel import Funnel, FunnelPeople, gate_funnel
from workbench.tables.actions import ActionTable
from workbench.texts import Cost, cost_of
from workbench.views import triggers

LAST_MAILINGS = 10
AWAITS_WORDS = _("So many messages await the approval of a colleague before they leave.")


class _Actions(ObjectMixin[Action]):
    def get_queryset(self) -> QuerySet[Action]:
        return Action.objects.select_related("purpose", "content__short_text__voucher", "gives_label")


class ActionList(ListPage):
    permission = "manage_campaigns"
    page_title = _("Actions")
    lead = _("What we send or give: a letter or e-mail with text, links and vouchers.")
    table_class = ActionTable
    filterset_class = ActionFilter
    create_label = _("New action")
    empty_icon = "zap"
    empty_title = _("No actions yet")
    empty_text = _("An action is one message, such as a birthday wish with a voucher. Triggers and campaigns send it.")

    def get_queryset(self) -> QuerySet[Action]:
        return Action.objects.select_related("purpose").with_reach()

    def get_create_url(self) -> str:
        return reverse("workbench:action_add")


class ActionAdd(FormPage[ActionForm]):
    permission = "manage_campaigns"
    form_class = ActionForm
    page_title = _("New action")
    submit_label = _("Make the action")
    success_message = _("The action has been made. Now write its content.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Actions"), reverse("workbench:action_list"))]

    def get_cancel_url(self) -> str:
        return reverse("workbench:action_list")

    def perform(self, form: ActionForm) -> str:
        action = actions.create_action(**form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:action_detail", args=[action.pk])


class ActionPage(_Actions, DetailPage[Action]):
    permission = "manage_campaigns"
    template_name = "workbench/actions_page.html"

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Actions"), reverse("workbench:action_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        action = self.object
        found = list(action.triggers.with_last_run())
        steps = action.steps.in_use().select_related("campaign")
        mailings = Mailing.objects.filter(content=action.content).with_counts()[:LAST_MAILINGS]
        words = describe(found)
        return super().get_context(
            triggers=[(trigger, words[trigger.pk]) for trigger in found],
            steps=steps,
            mailings=mailings,
            blocks=[(item.block, item.block.summary(item.data)) for item in read_items(action.content.blocks)],
            not_ready=why_not_ready(action),
            **extra,
        )


class ActionChange(_Actions, FormPage[ActionForm]):
    permission = "manage_campaigns"
    form_class = ActionForm
    submit_label = _("Save")
    success_message = _("The action has been changed.")

    def get_title(self) -> str:
        return str(_("Change “%(name)s”")) % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Actions"), reverse("workbench:action_list")), (self.object.name, self.get_cancel_url())]

    def get_cancel_url(self) -> str:
        return reverse("workbench:action_detail", args=[self.object.pk])

    def get_initial(self) -> dict[str, Any]:
        action = self.object
        return {
            "name": action.name,
            "purpose": action.purpose,
            "channels": action.channels,
            "letters_to": action.letters_to,
            "gives_label": action.gives_label,
            "priority": action.priority,
            "hold_out_percent": action.hold_out_percent,
        }

    def perform(self, form: ActionForm) -> str:
        actions.change_action(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return self.get_cancel_url()


class ActionRun(_Actions, FormPage[SelectionForm]):
    """GET with a selection shows what the gate would say; POST hands it over, once per page that was shown."""

    permission = "manage_campaigns"
    template_name = "workbench/actions_run.html"
    form_class = SelectionForm
    success_message = _("The action has been handed over for sending.")

    def get_title(self) -> str:
        return str(_("Run “%(name)s” now")) % {"name": self.object}

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Actions"), reverse("workbench:action_list")), (self.object.name, self.get_cancel_url())]

    def get_cancel_url(self) -> str:
        return reverse("workbench:action_detail", args=[self.object.pk])

    def make_form(self) -> SelectionForm:
        data = self.request.POST or (self.request.GET if "selection" in self.request.GET else None)
        return SelectionForm(data=data)

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = extra.pop("form", None) or self.make_form()
        funnel: Funnel | None = None
        findings: Findings | None = None
        cost: Cost | None = None
        if form.is_bound and form.is_valid():
            found = members(form.cleaned_data["selection"], now=self.now)
            cost = cost_of(self.object.content, actions.terms_of(self.object), candidates=found, now=self.now)
            people = reverse("workbench:action_people", args=[self.object.pk])
            people += f"?selection={form.cleaned_data['selection'].pk}"
            findings = show(report_of(self.object, candidates=found, with_test=True, now=self.now), self.object.content)
            funnel = gate_funnel(
                actions.terms_of(self.object), candidates=found, people=people, user=self.user, now=self.now
            )
        return super().get_context(
            form=form,
            funnel=funnel,
            findings=findings,
            cost=cost,
            object=self.object,
            not_ready=why_not_ready(self.object),
            key=get_random_string(20),
            **extra,
        )

    def perform(self, form: SelectionForm) -> str:
        selection = form.cleaned_data["selection"]
        key = self.request.POST.get("key", "")[:40] or get_random_string(20)
        mailing = actions.run_action(
            self.object,
            members(selection, now=self.now),
            due_key=f"action:{self.object.pk}:{key}",
            name=f"{self.object.name}: {selection.name}",
            confirmed=self.request.POST.get("confirmed", ""),
            by=self.user,
            now=self.now,
        )
        if mailing.state == Mailing.State.AWAITS:
            self.success_message = AWAITS_WORDS
        return self.get_cancel_url()


class ActionPeople(_Actions, FunnelPeople):
    """Who of a selection would get an outcome; with ``campaign`` as a step of that one."""

    permission = "manage_campaigns"

    def get_breadcrumb(self) -> list[Any]:
        run = reverse("workbench:action_run", args=[self.object.pk])
        return [
            (_("Actions"), reverse("workbench:action_list")),
            (self.object.name, reverse("workbench:action_detail", args=[self.object.pk])),
            (_("What would happen"), f"{run}?selection={self.selection.pk}" if self.selection else run),
        ]

    @cached_property
    def selection(self) -> Selection | None:
        return Selection.objects.filter(pk=self.number("selection")).first()

    def get_terms(self) -> Terms:
        campaign = Campaign.objects.filter(pk=self.number("campaign")).first()
        return actions.terms_of(self.object, campaign=campaign)

    def get_candidates(self) -> QuerySet[Customer]:
        return members(self.selection, now=self.now) if self.selection else Customer.objects.none()


class ActionArchive(_Actions, ActionView):
    permission = "manage_campaigns"
    success_message = _("The action has been archived; its triggers are off.")

    def perform(self) -> str:
        actions.archive_action(self.object, by=self.user)
        return reverse("workbench:action_detail", args=[self.object.pk])


class ActionRestore(_Actions, ActionView):
    permission = "manage_campaigns"
    success_message = _("The action is in use again. Its triggers are still off.")

    def perform(self) -> str:
        actions.restore_action(self.object, by=self.user)
        return reverse("workbench:action_detail", args=[self.object.pk])


urlpatterns = [
    path("actions/", ActionList.as_view(), name="action_list"),
    path("actions/add/", ActionAdd.as_view(), name="action_add"),
    path("actions/<int:pk>/", ActionPage.as_view(), name="action_detail"),
    path("actions/<int:pk>/change/", ActionChange.as_view(), name="action_change"),
    path("actions/<int:pk>/run/", ActionRun.as_view(), name="action_run"),
    path("actions/<int:pk>/run/people/", ActionPeople.as_view(), name="action_people"),
    path("actions/<int:pk>/archive/", ActionArchive.as_view(), name="action_archive"),
    path("actions/<int:pk>/restore/", ActionRestore.as_view(), name="action_restore"),
    *triggers.urlpatterns,
]
