"""What the criteria about campaigns share: which campaigns are meant, and how that is said."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign
from common.criteria import Params
from common.errors import Refused
from common.remembering import remembered
from customers.criteria import wording
from customers.criteria.several import Ids, SeveralCriterion
from customers.criteria.windows import WindowForm, WindowParams

GROUP = gettext_lazy("Campaigns")


class CampaignParams(Params):
    """Campaigns by id; none means any."""

    campaign: Ids = ()


class CampaignWindowParams(CampaignParams, WindowParams):
    """Campaigns, and a window."""


@remembered
def campaigns() -> list[tuple[int, str]]:
    """Return the campaigns to choose from."""
    return list(Campaign.objects.values_list("pk", "name"))


class CampaignForm(forms.Form):
    campaign = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Campaign"),
        coerce=int,
        required=False,
        choices=campaigns,
        help_text=gettext_lazy("None chosen: any of them."),
    )


class CampaignWindowForm(CampaignForm, WindowForm):
    field_order = ("campaign", *WindowForm.WINDOW)


class CampaignsCriterion(SeveralCriterion):
    """What is in no list of a form is left out."""

    group = GROUP


class CampaignCriterion(CampaignsCriterion):
    """What the criteria about campaigns share: the campaigns must exist."""

    def check(self, params: Any) -> None:
        require_rows(Campaign, params.campaign, _("This campaign does not exist (any more)."), "campaign")


def require_rows(model: type[Model], ids: tuple[int, ...], message: str, field: str) -> None:
    """Refuse ids of rows that are not there."""
    if set(ids) - set(model._default_manager.filter(pk__in=ids).values_list("pk", flat=True)):
        raise Refused(f"unknown_{field}", message, field=field)


def campaign_words(params: CampaignParams) -> str:
    """Return which campaigns are meant: "a campaign", "the campaign “Spring”"."""
    return _("a campaign") if not params.campaign else quoted(Campaign, params.campaign, _("the campaign “%s”"))


def quoted(model: type[Model], ids: tuple[int, ...], words: str) -> str:
    """Return rows by name, of which any will do."""
    names = {row.pk: str(row) for row in model._default_manager.filter(pk__in=ids)}
    return wording.one_of(words % names.get(pk, f"#{pk}") for pk in ids)
