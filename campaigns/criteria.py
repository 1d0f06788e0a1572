"""Audience criteria about campaigns and actions."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

from django import forms
from django.db.models import Exists, Model, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

import campaigns.usages  # noqa: F401 - tells selections and labels where they are used
from campaigns.models import Action, Campaign, Enrolment
from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from mailings.models import Message


class CampaignParams(Params):
    """The campaign's id."""

    campaign: int = Field(ge=1)


class CampaignForm(forms.Form):
    campaign = forms.TypedChoiceField(label=gettext_lazy("Campaign"), coerce=int)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["campaign"])
        field.choices = [("", "---------"), *Campaign.objects.values_list("pk", "name")]


class _AboutCampaign(Criterion):
    """Whether the customer has an enrolment in a certain state."""

    group = gettext_lazy("Campaigns")
    params = CampaignParams
    form = CampaignForm
    state: str

    def to_q(self, params: CampaignParams, *, now: dt.datetime) -> Q:
        stays = Enrolment.objects.filter(customer=OuterRef("pk"), campaign=params.campaign, state=self.state)
        return Q(Exists(stays))

    def check(self, params: CampaignParams) -> None:
        if not Campaign.objects.filter(pk=params.campaign).exists():
            raise Refused("unknown_campaign", _("This campaign does not exist (any more)."), field="campaign")


class TakesPart(_AboutCampaign):
    """Whether the customer takes part in a campaign now."""

    code = "campaigns.takes_part"
    label = gettext_lazy("Takes part in a campaign")
    state = Enrolment.State.ACTIVE

    def sentence(self, params: CampaignParams) -> str:
        return _("take part in the campaign “%s”") % _name(Campaign, params.campaign)


class HasCompleted(_AboutCampaign):
    """Whether the customer has all steps of a campaign behind him."""

    code = "campaigns.completed"
    label = gettext_lazy("Has completed a campaign")
    state = Enrolment.State.COMPLETED

    def sentence(self, params: CampaignParams) -> str:
        return _("have completed the campaign “%s”") % _name(Campaign, params.campaign)


class ReceivedParams(Params):
    """The action's id, and in how many days past (none: ever)."""

    action: int = Field(ge=1)
    within_days: int | None = Field(default=None, ge=1, le=3650)


class ReceivedForm(forms.Form):
    action = forms.TypedChoiceField(label=gettext_lazy("Action"), coerce=int)
    within_days = forms.IntegerField(
        label=gettext_lazy("In the last so many days"), min_value=1, max_value=3650, required=False,
        help_text=gettext_lazy("Empty: ever."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast(forms.TypedChoiceField, self.fields["action"])
        field.choices = [("", "---------"), *Action.objects.values_list("pk", "name")]


class ReceivedAction(Criterion):
    """Whether a message of an action was sent to the customer, by whatever trigger, step or hand."""

    code = "campaigns.received"
    group = gettext_lazy("Campaigns")
    label = gettext_lazy("Received an action")
    params = ReceivedParams
    form = ReceivedForm

    def to_q(self, params: ReceivedParams, *, now: dt.datetime) -> Q:
        sent = Message.objects.filter(
            customer=OuterRef("pk"), state=Message.State.SENT, mailing__content__action=params.action
        )
        if params.within_days:
            sent = sent.filter(sent_at__gte=now - dt.timedelta(days=params.within_days))
        return Q(Exists(sent.filter(sent_at__lte=now)))

    def sentence(self, params: ReceivedParams) -> str:
        name = _name(Action, params.action)
        if params.within_days:
            words = _("received the action “%(action)s” in the last %(days)d days")
            return words % {"action": name, "days": params.within_days}
        return _("ever received the action “%s”") % name

    def check(self, params: ReceivedParams) -> None:
        if not Action.objects.filter(pk=params.action).exists():
            raise Refused("unknown_action", _("This action does not exist (any more)."), field="action")


def _name(model: type[Model], pk: int) -> str:
    found = model._default_manager.filter(pk=pk).first()
    return str(found) if found else f"#{pk}"


criteria.register(TakesPart())
criteria.register(HasCompleted())
criteria.register(ReceivedAction())
