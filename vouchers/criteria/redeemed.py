"""Vouchers that somebody handed in: redeemed, never redeemed, refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field

from common.criteria import Params
from common.money import format_cents
from customers.criteria import wording
from customers.criteria.facts.common import EurosField
from customers.criteria.facts.shapes import Among
from customers.criteria.moments import day_of, said, until_now
from customers.criteria.several import Codes
from customers.models import Branch, Customer
from vouchers.criteria.common import (
    VoucherCriterion,
    VoucherWindowForm,
    VoucherWindowParams,
    no_voucher_words,
    of_definitions,
    standing,
    voucher_words,
)
from vouchers.models import Attempt, Redemption


def redeemed(params: VoucherWindowParams, now: dt.datetime) -> QuerySet[Redemption]:
    """Return the redemptions in the window that stood at ``now``."""
    found = standing(now).filter(until_now(params, "redeemed_at", now=now))
    return of_definitions(found, params, "voucher__definition")


class RedeemedParams(VoucherWindowParams):
    """At least so many times, each at one of the branches (none: anywhere) and with so much discount."""

    times: int = Field(default=1, ge=1, le=10000)
    branch: Codes = ()
    at_least_cents: int | None = Field(default=None, ge=1, le=10**9)


class RedeemedForm(VoucherWindowForm):
    times = forms.IntegerField(
        label=gettext_lazy("At least … times"), min_value=1, max_value=10000, initial=1, required=False
    )
    branch = forms.MultipleChoiceField(label=gettext_lazy("Branch"), required=False, choices=wording.branch_choices)
    at_least_cents = EurosField(label=gettext_lazy("Discount of at least … euros"))

    def clean_at_least_cents(self) -> int | None:
        euros = self.cleaned_data["at_least_cents"]
        return int(euros * 100) if euros else None


class HasRedeemed(VoucherCriterion):
    """Redeemed a voucher in the window, and it was not taken back."""

    code = "vouchers.redeemed"
    label = gettext_lazy("Redeemed a voucher")
    params = RedeemedParams
    form = RedeemedForm

    def to_q(self, params: RedeemedParams, *, now: dt.datetime) -> Q:
        found = self._redeemed(params, now)
        if params.times == 1:
            return Q(Exists(found.filter(customer=OuterRef("pk"))))
        counted = found.filter(customer__isnull=False).values("customer_id").annotate(times=Count("pk"))
        return Q(Among(counted.filter(times__gte=params.times).values("customer_id")))

    def _redeemed(self, params: RedeemedParams, now: dt.datetime) -> QuerySet[Redemption]:
        found = redeemed(params, now)
        if params.branch:
            found = found.filter(branch__in=Branch.objects.filter(code__in=params.branch).values("pk"))
        return found.filter(discount_cents__gte=params.at_least_cents) if params.at_least_cents else found

    def sentence(self, params: RedeemedParams) -> str:
        values: dict[str, Any] = {"voucher": voucher_words(params)}
        if params.times == 1:
            sentence = said(_("redeemed %(voucher)s %(when)s"), params, **values)
        else:
            values["often"] = ngettext("at least %d time", "at least %d times", params.times) % params.times
            sentence = said(_("redeemed %(voucher)s %(often)s %(when)s"), params, **values)
        parts = []
        if params.branch:
            names = wording.named(params.branch, wording.branch_choices())
            parts.append(_("branch %s") % wording.one_of(names))
        if params.at_least_cents:
            parts.append(_("discount of at least %s") % format_cents(params.at_least_cents))
        return f"{sentence} ({', '.join(parts)})" if parts else sentence

    def seen(self, params: RedeemedParams, customer: Customer, *, now: dt.datetime) -> str:
        return _redeemed_seen(self._redeemed(params, now).filter(customer=customer))

    def check(self, params: RedeemedParams) -> None:
        super().check(params)
        wording.require_known(params.branch, dict(wording.branch_choices()), field="branch")

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows: euros."""
        shown = super().initial(params)
        if "at_least_cents" in shown:
            shown["at_least_cents"] /= 100
        return shown


def _redeemed_seen(found: QuerySet[Redemption]) -> str:
    last = found.select_related("voucher__definition").order_by("-redeemed_at").first()
    if last is None:
        return _("never")
    values = {"n": found.count(), "day": day_of(last.redeemed_at), "name": last.voucher.definition.name}
    return _("%(n)d ×, last on %(day)s: “%(name)s”") % values


class NeverRedeemed(VoucherCriterion):
    """Redeemed no voucher in the window."""

    code = "vouchers.never_redeemed"
    label = gettext_lazy("Never redeemed a voucher")
    params = VoucherWindowParams
    form = VoucherWindowForm

    def to_q(self, params: VoucherWindowParams, *, now: dt.datetime) -> Q:
        return ~Q(Exists(redeemed(params, now).filter(customer=OuterRef("pk"))))

    def sentence(self, params: VoucherWindowParams) -> str:
        if params.is_ever:
            return _("never redeemed %(voucher)s") % {"voucher": voucher_words(params)}
        return said(_("redeemed %(voucher)s %(when)s"), params, voucher=no_voucher_words(params))

    def seen(self, params: VoucherWindowParams, customer: Customer, *, now: dt.datetime) -> str:
        return _redeemed_seen(redeemed(params, now).filter(customer=customer))


class RefusedParams(VoucherWindowParams):
    """Why it was not taken; none chosen means any reason."""

    reasons: tuple[Attempt.Reason, ...] = ()


class RefusedForm(VoucherWindowForm):
    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Why it was not taken (none: any reason)"), required=False, choices=Attempt.Reason.choices
    )


class WasRefused(VoucherCriterion):
    """Whose voucher was handed in and not taken; a code that does not exist is nobody's."""

    code = "vouchers.refused"
    label = gettext_lazy("A voucher was refused")
    params = RefusedParams
    form = RefusedForm

    def to_q(self, params: RefusedParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._attempts(params, now).filter(voucher__customer=OuterRef("pk"))))

    def _attempts(self, params: RefusedParams, now: dt.datetime) -> QuerySet[Attempt]:
        tried = Attempt.objects.filter(until_now(params, "tried_at", now=now)).order_by()
        found = of_definitions(tried, params, "voucher__definition")
        return found.filter(reason__in=params.reasons) if params.reasons else found

    def sentence(self, params: RefusedParams) -> str:
        voucher = voucher_words(params)
        if not params.reasons:
            return said(_("handed in %(voucher)s that was refused %(when)s"), params, voucher=voucher)
        reasons = wording.one_of(str(reason.label).lower() for reason in params.reasons)
        words = _("handed in %(voucher)s that was refused %(when)s (%(reasons)s)")
        return said(words, params, voucher=voucher, reasons=reasons)

    def seen(self, params: RefusedParams, customer: Customer, *, now: dt.datetime) -> str:
        found = self._attempts(params, now).filter(voucher__customer=customer)
        last = found.order_by("-tried_at").first()
        if last is None:
            return _("never")
        values = {"n": found.count(), "day": day_of(last.tried_at), "reason": last.get_reason_display()}
        return _("%(n)d ×, last on %(day)s: %(reason)s") % values


CRITERIA = (HasRedeemed(), NeverRedeemed(), WasRefused())
