"""What the criteria about vouchers share: which definitions are meant, and how that is said."""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeVar

from django import forms
from django.db.models import Count, IntegerField, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.criteria import Params
from common.errors import Refused
from common.remembering import remembered
from common.time import local_date
from customers.criteria import wording
from customers.criteria.several import Ids, SeveralCriterion
from customers.criteria.windows import AnyWindowForm, WindowForm, WindowParams
from vouchers.models import Definition, Redemption, Voucher

GROUP = gettext_lazy("Vouchers")

M = TypeVar("M", bound=Model)


class VoucherParams(Params):
    """Definitions by id; none means any."""

    definition: Ids = ()


class VoucherWindowParams(VoucherParams, WindowParams):
    """Definitions, and a window."""


@remembered
def definitions() -> list[tuple[int, str]]:
    """Return the definitions to choose from."""
    return list(Definition.objects.values_list("pk", "name"))


class VoucherForm(forms.Form):
    definition = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Voucher"),
        coerce=int,
        required=False,
        choices=definitions,
        help_text=gettext_lazy("None chosen: any of them."),
    )


class VoucherWindowForm(VoucherForm, WindowForm):
    field_order = ("definition", *WindowForm.WINDOW)


class VoucherAheadForm(VoucherForm, AnyWindowForm):
    field_order = ("definition", *WindowForm.WINDOW)


class VoucherCriterion(SeveralCriterion):
    """What the criteria about vouchers share: the definitions must exist, and what is in no list is left out."""

    group = GROUP

    def check(self, params: Any) -> None:
        known = set(Definition.objects.filter(pk__in=params.definition).values_list("pk", flat=True))
        if set(params.definition) - known:
            message = _("This voucher does not exist (any more). Choose another.")
            raise Refused("unknown_voucher", message, field="definition")


def of_definitions(rows: QuerySet[M], params: VoucherParams, field: str = "definition") -> QuerySet[M]:
    """Keep the rows of the definitions that are meant."""
    return rows.filter(**{f"{field}__in": params.definition}) if params.definition else rows


def voucher_words(params: VoucherParams) -> str:
    """Return which vouchers are meant: "a voucher", "the voucher “Spring” or the voucher “Summer”"."""
    if not params.definition:
        return _("a voucher")
    names = dict(Definition.objects.filter(pk__in=params.definition).values_list("pk", "name"))
    return wording.one_of(_("the voucher “%(name)s”") % {"name": names.get(pk, "?")} for pk in params.definition)


def no_voucher_words(params: VoucherParams) -> str:
    """Return of which vouchers somebody has none: "no voucher", "not the voucher “Spring”"."""
    if not params.definition:
        return _("no voucher")
    names = dict(Definition.objects.filter(pk__in=params.definition).values_list("pk", "name"))
    *first, last = (f"“{names.get(pk, '?')}”" for pk in params.definition)
    if not first:
        return _("not the voucher %(name)s") % {"name": last}
    return _("none of the vouchers %(first)s and %(last)s") % {"first": ", ".join(first), "last": last}


def standing(now: dt.datetime) -> QuerySet[Redemption]:
    """Return the redemptions that stood at a moment: taken in, and not taken back by then."""
    not_back = Q(reversal__isnull=True) | Q(reversal__reversed_at__gt=now)
    return Redemption.objects.filter(not_back, redeemed_at__lte=now).order_by()


def open_at(now: dt.datetime) -> QuerySet[Voucher]:
    """Return the vouchers that could be redeemed at a moment: given out, valid that day, not blocked nor used up by
    then. What was used is counted in the redemptions, which know when.
    """
    today = local_date(now)
    uses = standing(now).filter(voucher=OuterRef("pk")).values("voucher").annotate(n=Count("pk")).values("n")
    return Voucher.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gte=today),
        Q(blocked_at__isnull=True) | Q(blocked_at__gt=now),
        issued_at__lte=now,
        valid_from__lte=today,
        definition__uses_per_code__gt=Coalesce(Subquery(uses), Value(0), output_field=IntegerField()),
    ).order_by()
