"""How far somebody is in a campaign."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.criteria.common import CampaignsCriterion, require_rows
from campaigns.models import Enrolment, Step, StepDone
from common.remembering import remembered
from customers.criteria import wording
from customers.criteria.moments import day_of, said, until_now
from customers.criteria.several import SomeIds
from customers.criteria.windows import WindowForm, WindowParams, shown_when
from customers.models import Customer


class StepParams(WindowParams):
    """Steps by id. ``where``: it is behind him (since some moment of the window), or it is the next that he gets."""

    step: SomeIds
    where: Literal["done", "next"] = "done"


@remembered
def steps() -> list[tuple[int, str]]:
    """Return the steps to choose from: "Welcome, day 7: Tips"."""
    found = Step.objects.select_related("campaign", "action").order_by("campaign__name", "day", "pk")
    return [(step.pk, step_name(step)) for step in found]


def step_name(step: Step) -> str:
    """Return a step with its campaign and day."""
    values = {"campaign": step.campaign.name, "day": step.day, "action": step.action.name}
    return _("%(campaign)s, day %(day)d: %(action)s") % values


class StepForm(WindowForm):
    step = forms.TypedMultipleChoiceField(label=gettext_lazy("Step"), coerce=int, choices=steps)
    where = forms.ChoiceField(
        label=gettext_lazy("Where"),
        required=False,
        choices=[("done", gettext_lazy("has had it")), ("next", gettext_lazy("gets it next"))],
    )
    field_order = ("step", "where", *WindowForm.WINDOW)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "period", "where", ("done",))


class AtStep(CampaignsCriterion):
    """Has a step of a campaign behind him, or gets it next."""

    code = "campaigns.step"
    label = gettext_lazy("How far in a campaign")
    params = StepParams
    form = StepForm

    def to_q(self, params: StepParams, *, now: dt.datetime) -> Q:
        rows = self._waiting(params) if params.where == "next" else self._done(params, now)
        return Q(Exists(rows.filter(customer=OuterRef("pk"))))

    def _waiting(self, params: StepParams) -> QuerySet[Enrolment]:
        return Enrolment.objects.filter(next_step__in=params.step, state=Enrolment.State.ACTIVE).order_by()

    def _done(self, params: StepParams, now: dt.datetime) -> QuerySet[StepDone]:
        return StepDone.objects.filter(until_now(params, "run__ran_at", now=now), step__in=params.step).order_by()

    def sentence(self, params: StepParams) -> str:
        found = Step.objects.filter(pk__in=params.step).select_related("campaign", "action")
        names = {step.pk: step_name(step) for step in found}
        named = wording.one_of(_("step “%s”") % names.get(pk, f"#{pk}") for pk in params.step)
        if params.where == "next":
            return _("get %(step)s next") % {"step": named}
        return said(_("have had %(step)s %(when)s"), params, step=named)

    def seen(self, params: StepParams, customer: Customer, *, now: dt.datetime) -> str:
        if params.where == "next":
            waiting = self._waiting(params).filter(customer=customer).select_related("next_step__action").first()
            if waiting is None or waiting.next_step is None or waiting.next_on is None:
                return _("gets none of them next")
            return _("next: %(action)s") % {"action": waiting.next_step.action.name}
        done = self._done(params, now).filter(customer=customer).select_related("run", "step__action")
        last = done.order_by("-run__ran_at").first()
        if last is None:
            return _("never")
        return _("%(action)s on %(day)s") % {"action": last.step.action.name, "day": day_of(last.run.ran_at)}

    def gap(self, params: StepParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer would be a guess: what came next then is not kept, what was done is."""
        return _("Which step comes next is only known at present.") if params.where == "next" else ""

    def check(self, params: StepParams) -> None:
        require_rows(Step, params.step, _("This step does not exist (any more)."), "step")


CRITERIA = (AtStep(),)
