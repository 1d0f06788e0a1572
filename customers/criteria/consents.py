"""What somebody allows, by the rules of the ledger."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Criterion, Params
from customers.consents import allowed_sql
from customers.criteria import wording
from customers.models import Channel, Purpose


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
        allowed = allowed_sql(purpose=purpose, channel=params.channel, as_of=now)
        return Q(pk__in=RawSQL(allowed, []))  # noqa: S611 - bound by allowed_sql

    def sentence(self, params: AllowedParams) -> str:
        names = dict(purpose_choices())
        return _("may be reached for “%(purpose)s” by %(channel)s") % {
            "purpose": names.get(params.purpose, params.purpose),
            "channel": str(params.channel.label).lower(),
        }

    def check(self, params: AllowedParams) -> None:
        wording.require_known([params.purpose], dict(purpose_choices()), field="purpose")
