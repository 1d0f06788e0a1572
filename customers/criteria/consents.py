"""What somebody allows, by the rules of the ledger."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Criterion, Params
from customers.consents import PROCESSING, allowed_q, states_of
from customers.consents.channels import grounds_at
from customers.criteria import wording
from customers.models import Channel, Customer, Purpose, PurposeChannel

_OF_MEMBERS = (
    PurposeChannel.Basis.SERVICE,
    PurposeChannel.Basis.INTEREST,
    PurposeChannel.Basis.RELATION,
)
_KINDS_FORGET = gettext_lazy(
    "Who may be reached without a yes follows from being a member, and only the present kind is kept."
)


class AllowedParams(Params):
    purpose: str
    channel: Channel = Channel.EMAIL


def purpose_choices() -> wording.Choices:
    """Return the purposes by code."""
    return list(Purpose.objects.values_list("code", "name"))


class AllowedForm(forms.Form):
    purpose = forms.ChoiceField(label=gettext_lazy("Purpose"), choices=purpose_choices)
    channel = forms.ChoiceField(label=gettext_lazy("Channel"), choices=Channel)


class Allowed(Criterion):
    """Who may be reached for a purpose over a channel, at that moment: consent or another legal basis."""

    code = "consents.allowed"
    group = gettext_lazy("What they allow")
    label = gettext_lazy("May be reached")
    params = AllowedParams
    form = AllowedForm

    def to_q(self, params: AllowedParams, *, now: dt.datetime) -> Q:
        purpose = Purpose.objects.filter(code=params.purpose).first()
        if purpose is None:
            return Q(pk__in=[])
        return allowed_q(purpose=purpose, channel=params.channel, as_of=now)

    def sentence(self, params: AllowedParams) -> str:
        names = dict(purpose_choices())
        return _("may be reached for “%(purpose)s” by %(channel)s") % {
            "purpose": names.get(params.purpose, params.purpose),
            "channel": str(params.channel.label).lower(),
        }

    def check(self, params: AllowedParams) -> None:
        wording.require_known([params.purpose], dict(purpose_choices()), field="purpose")

    def seen(self, params: AllowedParams, customer: Customer, *, now: dt.datetime) -> str:
        channel = Channel.EMAIL if params.purpose in PROCESSING else params.channel
        for state in states_of(customer, now=now):
            if (state.purpose.code, state.channel) == (params.purpose, channel):
                return state.explanation.rstrip(".")
        return _("this channel is not used for this purpose")

    def gap(self, params: AllowedParams, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return that a ground which follows from being a member is judged by the present; what was said is exact."""
        purpose = Purpose.objects.filter(code=params.purpose).first()
        basis = grounds_at(now).get((purpose.pk, params.channel), "") if purpose else ""
        return str(_KINDS_FORGET) if basis in _OF_MEMBERS else ""
