"""Campaigns: their steps on a calendar, who takes part, and starting, pausing and finishing them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Max, QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns import actions
from campaigns.models import Campaign, Enrolment, Step, StepRun
from campaigns.standard import install_standard_campaigns
from campaigns.triggers import describe
from customers.models import Customer
from mailings.checks import Report
from selections.compiler import members
from selections.models import Selection
from workbench.base import ActionView, DetailPage, FormPage, ListPage, ObjectMixin
from workbench.filters.campaigns import CampaignFilter, ParticipantFilter
from workbench.findings import report_of, show
from workbench.forms.campaigns import CampaignAddForm, CampaignForm, EnrolForm, StepForm, initial_of
from workbench.funnel import Funnel, gate_funnel
from workbench.tables.campaigns import CAMPAIGN_TONES, CampaignTable, ParticipantTable
from workbench.views import calendar

LAST_FAILURES = 5


class _Campaigns(ObjectMixin[Campaign]):
    def get_queryset(self) -> QuerySet[Campaign]:
        return Campaign.objects.select_related("leave_when")

    @property
    def page_url(self) -> str:
        return reverse("workbench:campaign_detail", args=[self.object.pk])

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Campaigns"), reverse("workbench:campaign_list")), (self.object.name, self.page_url)]

    def get_cancel_url(self) -> str:
        return self.page_url


class CampaignList(ListPage):
    permission = "manage_campaigns"
    template_name = "workbench/campaigns.html"
    page_title = _("Campaigns")
    lead = _("A series of actions on fixed days after somebody enters.")
    table_class = CampaignTable
    filterset_class = CampaignFilter
    create_label = _("New campaign")
    empty_icon = "route"
    empty_title = _("No campaigns yet")
    empty_text = _("Start with the four base campaigns and make them your own, or make one from nothing.")

    def get_queryset(self) -> QuerySet[Campaign]:
        return Campaign.objects.with_counts()

    def get_create_url(self) -> str:
        return reverse("workbench:campaign_add")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        current = list(Campaign.objects.current().values_list("kind", flat=True))
        own = current.count(Campaign.Kind.FREE)
        present = set(Campaign.objects.exclude(state=Campaign.State.FINISHED).values_list("kind", flat=True))
        return super().get_context(
            own_count=own,
            base_count=len(current) - own,
            most_own=actions.MOST_OWN_CAMPAIGNS,
            is_quiet=0 < own < actions.LEAST_OWN_CAMPAIGNS,
            lacks_base=bool(set(Campaign.Kind.values) - {Campaign.Kind.FREE} - present),
            **extra,
        )


class CampaignInstall(ActionView):
    permission = "manage_campaigns"

    def perform(self) -> str:
        made = install_standard_campaigns(by=self.user, now=self.now)
        words = ngettext(
            "%(count)d base campaign has been made, as a draft. Read it through before you start it.",
            "%(count)d base campaigns have been made, as drafts. Read them through before you start them.",
            len(made),
        )
        self.success_message = words % {"count": len(made)}
        return reverse("workbench:campaign_list")


class CampaignAdd(FormPage[CampaignAddForm]):
    permission = "manage_campaigns"
    form_class = CampaignAddForm
    page_title = _("New campaign")
    submit_label = _("Make the campaign")
    success_message = _("The campaign has been made. Now add its steps.")

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Campaigns"), reverse("workbench:campaign_list"))]

    def get_cancel_url(self) -> str:
        return reverse("workbench:campaign_list")

    def perform(self, form: CampaignAddForm) -> str:
        campaign = actions.create_campaign(**form.cleaned_data, by=self.user, now=self.now)
        return reverse("workbench:campaign_detail", args=[campaign.pk])


class CampaignChange(_Campaigns, FormPage[CampaignForm]):
    permission = "manage_campaigns"
    form_class = CampaignForm
    submit_label = _("Save")
    success_message = _("The campaign has been changed.")

    def get_title(self) -> str:
        return str(_("Change “%(name)s”")) % {"name": self.object}

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.object)

    def perform(self, form: CampaignForm) -> str:
        actions.change_campaign(self.object, **form.cleaned_data, by=self.user, now=self.now)
        return self.page_url


class CampaignPage(_Campaigns, DetailPage[Campaign]):
    permission = "manage_campaigns"
    template_name = "workbench/campaigns_page.html"

    def get_queryset(self) -> QuerySet[Campaign]:
        return super().get_queryset().with_counts()  # type: ignore[attr-defined,no-any-return]

    def get_breadcrumb(self) -> list[Any]:
        return [(_("Campaigns"), reverse("workbench:campaign_list"))]

    def get_context(self, **extra: Any) -> dict[str, Any]:
        campaign = self.object
        found = list(campaign.triggers.with_last_run())
        words = describe(found)
        steps = campaign.steps.select_related("action").with_progress().annotate(last_on=Max("runs__due_on"))
        entered = campaign.active_count + campaign.completed_count + campaign.left_count  # type: ignore[attr-defined]
        return super().get_context(
            tone=CAMPAIGN_TONES[campaign.state],
            steps=steps,
            failures=_failures(campaign),
            triggers=[(trigger, words[trigger.pk]) for trigger in found],
            entered_count=entered,
            **extra,
        )


def reports_of(campaign: Campaign, *, now: dt.datetime) -> list[tuple[Step, Report]]:
    """What the checks say of the content of each step."""
    steps = campaign.steps.in_use().select_related("action__purpose", "action__content")
    return [(step, report_of(step.action, now=now)) for step in steps]


class CampaignCheck(_Campaigns, DetailPage[Campaign]):
    """What is wrong with the messages of a campaign that is about to start; from here it starts."""

    permission = "manage_campaigns"
    template_name = "workbench/campaigns_check.html"

    def get_title(self) -> str:
        return str(_("Check and start “%(name)s”")) % {"name": self.object}

    def get_context(self, **extra: Any) -> dict[str, Any]:
        found = reports_of(self.object, now=self.now)
        return super().get_context(
            steps=[(step, show(report, step.action.content)) for step, report in found],
            has_errors=any(report.errors for _step, report in found),
            fingerprints=" ".join(report.fingerprint for _step, report in found if report.warnings),
            **extra,
        )


class CampaignStart(_Campaigns, ActionView):
    permission = "manage_campaigns"
    success_message = _("The campaign is running.")

    def perform(self) -> str:
        confirmed = self.request.POST.get("confirmed", "")
        actions.start_campaign(self.object, confirmed=confirmed, by=self.user, now=self.now)
        return self.page_url


class CampaignPause(_Campaigns, ActionView):
    permission = "manage_campaigns"
    success_message = _("The campaign is on hold: no step goes out and nobody is enrolled by a trigger.")

    def perform(self) -> str:
        actions.pause_campaign(self.object, by=self.user, now=self.now)
        return self.page_url


class CampaignFinish(_Campaigns, ActionView):
    permission = "manage_campaigns"
    success_message = _("The campaign is finished.")

    def perform(self) -> str:
        actions.finish_campaign(self.object, by=self.user, now=self.now)
        return self.page_url


class CampaignDelete(_Campaigns, ActionView):
    permission = "manage_campaigns"
    success_message = _("The draft has been deleted.")

    def perform(self) -> str:
        actions.delete_campaign(self.object, by=self.user)
        return reverse("workbench:campaign_list")


class StepAdd(_Campaigns, FormPage[StepForm]):
    """In a campaign under way the step goes out by itself, so its warnings are shown and confirmed here."""

    permission = "manage_campaigns"
    template_name = "workbench/campaigns_step.html"
    form_class = StepForm
    page_title = _("New step")
    submit_label = _("Add the step")
    success_message = _("The step has been added.")

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form, findings = extra.get("form"), None
        if form and self.object.is_current and (action := form.cleaned_data.get("action")):
            findings = show(report_of(action, now=self.now), action.content)
        return super().get_context(findings=findings, **extra)

    def perform(self, form: StepForm) -> str:
        confirmed = self.request.POST.get("confirmed", "")
        actions.add_step(self.object, **form.cleaned_data, confirmed=confirmed, by=self.user, now=self.now)
        return self.page_url


class StepRemove(ObjectMixin[Step], ActionView):
    permission = "manage_campaigns"
    success_message = _("The step has been taken out.")

    def get_queryset(self) -> QuerySet[Step]:
        return Step.objects.in_use().select_related("campaign")

    def perform(self) -> str:
        campaign = self.object.campaign
        actions.remove_step(self.object, by=self.user, now=self.now)
        return reverse("workbench:campaign_detail", args=[campaign.pk])


class CampaignEnrol(_Campaigns, FormPage[EnrolForm]):
    """GET with a selection shows how many would be new; POST lets them in."""

    permission = "manage_campaigns"
    template_name = "workbench/campaigns_enrol.html"
    form_class = EnrolForm
    page_title = _("Enrol a selection")

    def make_form(self) -> EnrolForm:
        return EnrolForm(data=self.request.POST or (self.request.GET if "selection" in self.request.GET else None))

    def get_context(self, **extra: Any) -> dict[str, Any]:
        form = extra.pop("form", None) or self.make_form()
        counts, steps = None, []
        if form.is_bound and form.is_valid():
            found = members(form.cleaned_data["selection"], now=self.now)
            fresh = actions.would_enter(self.object, found, now=self.now).count()
            counts = {"all": found.count(), "fresh": fresh}
            steps = self._funnels(form.cleaned_data["selection"], found)
        return super().get_context(form=form, counts=counts, steps=steps, object=self.object, **extra)

    def _funnels(self, selection: Selection, found: QuerySet[Customer]) -> list[tuple[Step, Funnel]]:
        """Return what the gate would say of the selection at each step, were it today."""
        funnels = []
        for step in self.object.steps.in_use().select_related("action__purpose"):
            people = reverse("workbench:action_people", args=[step.action_id])
            people += f"?selection={selection.pk}&campaign={self.object.pk}"
            terms = actions.terms_of(step.action, campaign=self.object)
            funnels.append((step, gate_funnel(terms, candidates=found, people=people, user=self.user, now=self.now)))
        return funnels

    def perform(self, form: EnrolForm) -> str:
        found = members(form.cleaned_data["selection"], now=self.now)
        by = self.user.get_full_name() or self.user.get_username()
        count = actions.enrol(self.object, found, by=by, now=self.now)
        words = ngettext("%(count)d customer has entered.", "%(count)d customers have entered.", count)
        self.success_message = words % {"count": count}
        return self.page_url


class ParticipantList(_Campaigns, ListPage):
    permission = "manage_campaigns"
    table_class = ParticipantTable
    filterset_class = ParticipantFilter
    empty_icon = "users"
    empty_title = _("Nobody has entered yet")
    empty_text = _("Enrol a selection, or let a trigger bring customers in.")

    def get_title(self) -> str:
        return str(_("Participants of “%(name)s”")) % {"name": self.object}

    @cached_property
    def object(self) -> Campaign:
        return get_object_or_404(Campaign, pk=self.kwargs["pk"])

    def get_queryset(self) -> QuerySet[Enrolment]:  # type: ignore[override]
        found = Enrolment.objects.filter(campaign=self.object).with_progress()
        return found.select_related("customer", "next_step__action").order_by("state", "-entered_on", "pk")


class ParticipantLeave(ObjectMixin[Enrolment], ActionView):
    permission = "manage_campaigns"
    success_message = _("The customer has left the campaign.")

    def get_queryset(self) -> QuerySet[Enrolment]:
        return Enrolment.objects.select_related("campaign")

    def perform(self) -> str:
        customers = Customer.objects.filter(pk=self.object.customer_id)
        actions.leave(self.object.campaign, customers, reason=actions.LeaveReason.STAFF, now=self.now)
        return reverse("workbench:campaign_participants", args=[self.object.campaign_id])


def _failures(campaign: Campaign) -> list[Any]:
    """The runs of steps that went wrong, so that the page can say why nothing goes out."""
    runs = StepRun.objects.failing().filter(step__campaign=campaign).select_related("step__action")
    return list(runs.order_by("-ran_at")[:LAST_FAILURES])


urlpatterns = [
    path("campaigns/", CampaignList.as_view(), name="campaign_list"),
    path("campaigns/add/", CampaignAdd.as_view(), name="campaign_add"),
    path("campaigns/install/", CampaignInstall.as_view(), name="campaign_install"),
    path("campaigns/<int:pk>/", CampaignPage.as_view(), name="campaign_detail"),
    path("campaigns/<int:pk>/change/", CampaignChange.as_view(), name="campaign_change"),
    path("campaigns/<int:pk>/check/", CampaignCheck.as_view(), name="campaign_check"),
    path("campaigns/<int:pk>/start/", CampaignStart.as_view(), name="campaign_start"),
    path("campaigns/<int:pk>/pause/", CampaignPause.as_view(), name="campaign_pause"),
    path("campaigns/<int:pk>/finish/", CampaignFinish.as_view(), name="campaign_finish"),
    path("campaigns/<int:pk>/delete/", CampaignDelete.as_view(), name="campaign_delete"),
    path("campaigns/<int:pk>/enrol/", CampaignEnrol.as_view(), name="campaign_enrol"),
    path("campaigns/<int:pk>/participants/", ParticipantList.as_view(), name="campaign_participants"),
    path("campaigns/<int:pk>/steps/add/", StepAdd.as_view(), name="step_add"),
    path("steps/<int:pk>/remove/", StepRemove.as_view(), name="step_remove"),
    path("enrolments/<int:pk>/leave/", ParticipantLeave.as_view(), name="enrolment_leave"),
    *calendar.urlpatterns,
]
