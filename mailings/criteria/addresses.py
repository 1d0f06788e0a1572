"""Addresses that must not be used."""

from __future__ import annotations

import datetime as dt

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Criterion, Params
from customers.criteria import wording
from customers.criteria.moments import day_of
from customers.criteria.quality import QUALITY, living
from customers.models import ContactPoint, Customer
from customers.quality import OLD, Issue, issues
from mailings.models import Suppression


class BlockedParams(Params):
    """Why the address must not be used; none chosen means any reason."""

    reasons: list[Suppression.Reason] = []


class BlockedForm(forms.Form):
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Why it is blocked (none: any)"),
        required=False,
        choices=Suppression.Reason,
        widget=forms.CheckboxSelectMultiple,
    )


class Blocked(Criterion):
    """Whose e-mail address must not be used: it bounced, somebody complained, or staff blocked it."""

    code = "mailings.blocked"
    group = QUALITY
    label = gettext_lazy("E-mail address is blocked")
    params = BlockedParams
    form = BlockedForm
    forgets = gettext_lazy("Only the present e-mail addresses are kept, and what blocks them now.")

    def to_q(self, params: BlockedParams, *, now: dt.datetime) -> Q:
        points = ContactPoint.objects.filter(
            channel="email", is_primary=True, value__in=_blocked(params).values("address")
        )
        return living(Q(pk__in=points.values("customer_id")), now=now)

    def sentence(self, params: BlockedParams) -> str:
        reasons = wording.one_of(str(reason.label).lower() for reason in params.reasons)
        if not reasons:
            return _("have an e-mail address that is blocked")
        return _("have an e-mail address that is blocked: %(reasons)s") % {"reasons": reasons}

    def seen(self, params: BlockedParams, customer: Customer, *, now: dt.datetime) -> str:
        own = ContactPoint.objects.filter(customer=customer, channel="email", is_primary=True)
        blocked = Suppression.objects.in_force().filter(address__in=own.values("value")).first()
        if blocked is None:
            return _("not blocked") if own.exists() else _("has no e-mail address")
        return _("%(reason)s, since %(day)s") % {"reason": blocked.get_reason_display(), "day": day_of(blocked.since)}


def _blocked(params: BlockedParams) -> QuerySet[Suppression]:
    blocked: QuerySet[Suppression] = Suppression.objects.in_force().order_by()
    return blocked.filter(reason__in=params.reasons) if params.reasons else blocked


CRITERIA = (Blocked(),)

for _reason, _name in (
    (Suppression.Reason.BOUNCE, gettext_lazy("E-mail address that bounces")),
    (Suppression.Reason.COMPLAINT, gettext_lazy("Reported our mail as spam")),
):
    issues.register(
        Issue(
            f"blocked_{_reason}",
            OLD,
            _name,
            Blocked.code,
            {"reasons": [_reason.value]},
            gettext_lazy("Ask for another address, or write by post."),
        )
    )
