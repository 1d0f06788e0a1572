"""Vouchers that somebody was given: received, open, about to expire, never used."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.criteria.moments import day_of, said, until_now
from customers.models import Customer
from vouchers.criteria.common import (
    VoucherAheadForm,
    VoucherCriterion,
    VoucherForm,
    VoucherParams,
    VoucherWindowForm,
    VoucherWindowParams,
    of_definitions,
    open_at,
    standing,
    voucher_words,
)
from vouchers.models import Voucher


class HasOpenVoucher(VoucherCriterion):
    """Holds a voucher that could be used on the day."""

    code = "vouchers.open"
    label = gettext_lazy("Has an open voucher")
    params = VoucherParams
    form = VoucherForm

    def to_q(self, params: VoucherParams, *, now: dt.datetime) -> Q:
        return Q(Exists(of_definitions(open_at(now), params).filter(customer=OuterRef("pk"))))

    def sentence(self, params: VoucherParams) -> str:
        return _("hold %(voucher)s, still open") % {"voucher": voucher_words(params)}

    def seen(self, params: VoucherParams, customer: Customer, *, now: dt.datetime) -> str:
        return _vouchers_seen(of_definitions(open_at(now), params).filter(customer=customer))


def _vouchers_seen(vouchers: QuerySet[Voucher]) -> str:
    """Return up to three vouchers with their last day; "none" of none."""
    found = []
    for voucher in vouchers.select_related("definition").order_by("valid_until", "pk")[:3]:
        if voucher.valid_until is None:
            found.append(_("“%(name)s”, without an end") % {"name": voucher.definition.name})
        else:
            values = {"name": voucher.definition.name, "day": date_format(voucher.valid_until)}
            found.append(_("“%(name)s”, until %(day)s") % values)
    return "; ".join(found) or _("no voucher")


class Expires(VoucherCriterion):
    """Holds an open voucher of which the last day lies in the window."""

    code = "vouchers.expires"
    label = gettext_lazy("Has an open voucher that expires")
    params = VoucherWindowParams
    form = VoucherAheadForm

    def to_q(self, params: VoucherWindowParams, *, now: dt.datetime) -> Q:
        return Q(Exists(self._expiring(params, now).filter(customer=OuterRef("pk"))))

    def _expiring(self, params: VoucherWindowParams, now: dt.datetime) -> QuerySet[Voucher]:
        return of_definitions(open_at(now), params).filter(params.on("valid_until", now=now))

    def sentence(self, params: VoucherWindowParams) -> str:
        return said(_("hold %(voucher)s, still open, that expires %(when)s"), params, voucher=voucher_words(params))

    def seen(self, params: VoucherWindowParams, customer: Customer, *, now: dt.datetime) -> str:
        return _vouchers_seen(of_definitions(open_at(now), params).filter(customer=customer))


def received(params: VoucherWindowParams, now: dt.datetime) -> QuerySet[Voucher]:
    """Return the vouchers that were given out in the window."""
    return of_definitions(Voucher.objects.filter(until_now(params, "issued_at", now=now)), params).order_by()


def _received_seen(params: VoucherWindowParams, customer: Customer, now: dt.datetime) -> str:
    last = received(params, now).filter(customer=customer).select_related("definition").order_by("-issued_at").first()
    if last is None:
        return _("no voucher")
    used = standing(now).filter(voucher=last).order_by("-redeemed_at").first()
    values = {"name": last.definition.name, "day": day_of(last.issued_at)}
    if used is None:
        return _("“%(name)s” on %(day)s, not redeemed") % values
    return _("“%(name)s” on %(day)s, redeemed on %(used)s") % (values | {"used": day_of(used.redeemed_at)})


class Received(VoucherCriterion):
    """Was given a voucher in the window."""

    code = "vouchers.received"
    label = gettext_lazy("Received a voucher")
    params = VoucherWindowParams
    form = VoucherWindowForm

    def to_q(self, params: VoucherWindowParams, *, now: dt.datetime) -> Q:
        return Q(Exists(received(params, now).filter(customer=OuterRef("pk"))))

    def sentence(self, params: VoucherWindowParams) -> str:
        return said(_("were given %(voucher)s %(when)s"), params, voucher=voucher_words(params))

    def seen(self, params: VoucherWindowParams, customer: Customer, *, now: dt.datetime) -> str:
        return _received_seen(params, customer, now)


class Unused(VoucherCriterion):
    """Was given a voucher in the window, and has redeemed none of those."""

    code = "vouchers.unused"
    label = gettext_lazy("Received a voucher and did not redeem it")
    params = VoucherWindowParams
    form = VoucherWindowForm

    def to_q(self, params: VoucherWindowParams, *, now: dt.datetime) -> Q:
        given = received(params, now).filter(customer=OuterRef("pk"))
        used = given.filter(Exists(standing(now).filter(voucher=OuterRef("pk"))))
        return Q(Exists(given)) & ~Q(Exists(used))

    def sentence(self, params: VoucherWindowParams) -> str:
        words = _("were given %(voucher)s %(when)s and did not redeem it")
        return said(words, params, voucher=voucher_words(params))

    def seen(self, params: VoucherWindowParams, customer: Customer, *, now: dt.datetime) -> str:
        return _received_seen(params, customer, now)


CRITERIA = (HasOpenVoucher(), Received(), Unused(), Expires())
