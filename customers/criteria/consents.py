"""What somebody allows, and what he said about it himself, by the rules of the ledger."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Criterion, Params
from customers.consents import PROCESSING, allowed_q, said_q, states_of
from customers.consents.channels import grounds_at
from customers.criteria import wording
from customers.criteria.moments import day_of, said
from customers.criteria.several import SeveralCriterion
from customers.criteria.windows import WindowForm, WindowParams, shown_when
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


ANSWERS = [
    ("yes", gettext_lazy("said yes")),
    ("no", gettext_lazy("said no, or objected")),
    ("nothing", gettext_lazy("have never said anything")),
]
_IS_YES = {"yes": True, "no": False, "nothing": None}


class SaidParams(AllowedParams, WindowParams):
    """The last answer that counts, and the window in which it was given; who said nothing has no window."""

    answer: Literal["yes", "no", "nothing"] = "yes"


class SaidForm(AllowedForm, WindowForm):
    answer = forms.ChoiceField(label=gettext_lazy("What they said"), choices=ANSWERS, initial="yes")
    field_order = ("answer", "purpose", "channel", *WindowForm.WINDOW)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "period", "answer", ("yes", "no"))


class Said(SeveralCriterion):
    """Who said yes or no himself, whatever else there may be to reach him on; of several answers the last counts."""

    code = "consents.said"
    group = gettext_lazy("What they allow")
    label = gettext_lazy("Gave permission, or took it back")
    params = SaidParams
    form = SaidForm

    def to_q(self, params: SaidParams, *, now: dt.datetime) -> Q:
        purpose = Purpose.objects.filter(code=params.purpose).first()
        if purpose is None:
            return Q(pk__in=[])
        since, until = params.happened(now=now)
        # What was said at this very moment counts, as it does for whoever is to be reached.
        return said_q(
            purpose=purpose,
            channel=params.channel,
            is_yes=_IS_YES[params.answer],
            since=since,
            until=until if until < now else None,
            as_of=now,
        )

    def sentence(self, params: SaidParams) -> str:
        purpose = dict(purpose_choices()).get(params.purpose, params.purpose)
        words = {
            "yes": _("said yes %(when)s to “%(purpose)s” by %(channel)s"),
            "no": _("said no %(when)s to “%(purpose)s” by %(channel)s"),
            "nothing": _("never said anything about “%(purpose)s” by %(channel)s"),
        }
        return said(words[params.answer], params, purpose=purpose, channel=str(params.channel.label).lower())

    def check(self, params: SaidParams) -> None:
        wording.require_known([params.purpose], dict(purpose_choices()), field="purpose")

    def seen(self, params: SaidParams, customer: Customer, *, now: dt.datetime) -> str:
        channel = Channel.EMAIL if params.purpose in PROCESSING else params.channel
        for state in states_of(customer, now=now):
            if (state.purpose.code, state.channel) == (params.purpose, channel) and state.consent:
                answer = str(state.consent.get_state_display()).lower()
                return _("%(answer)s on %(day)s") % {"answer": answer, "day": day_of(state.consent.event_at)}
        return _("never said anything")


CRITERIA: tuple[Criterion, ...] = (Allowed(), Said())
