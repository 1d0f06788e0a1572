"""What may be asked about customers and vouchers in a selection."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params, criteria
from common.errors import Refused
from common.time import local_date
from vouchers.models import Definition, Redemption, Voucher

GROUP = gettext_lazy("Vouchers")


class OneDefinition(Params):
    """A definition by its id."""

    definition: int


class Redeemed(Params):
    """A definition (none: any) and a window in days back from now (none: ever)."""

    definition: int | None = None
    within_days: int | None = Field(default=None, ge=1, le=3650)


class AnyDefinition(Params):
    """A definition (none: any)."""

    definition: int | None = None


class DefinitionForm(forms.Form):
    """Asks for a definition."""

    definition = forms.ModelChoiceField(Definition.objects.all(), label=gettext_lazy("Voucher"))


class OptionalDefinitionForm(forms.Form):
    """Asks for a definition, or none for any."""

    definition = forms.ModelChoiceField(
        Definition.objects.all(), label=gettext_lazy("Voucher"), required=False, empty_label=gettext_lazy("any voucher")
    )


class RedeemedForm(OptionalDefinitionForm):
    """Asks for a definition and a window."""

    within_days = forms.IntegerField(
        label=gettext_lazy("In the past … days"), min_value=1, max_value=3650, required=False,
        help_text=gettext_lazy("Leave empty for ever."),
    )  # fmt: skip


class VoucherCriterion(Criterion):
    """What the criteria about vouchers share: the definition must exist."""

    group = GROUP

    def check(self, params: Any) -> None:
        if params.definition is not None and not Definition.objects.filter(pk=params.definition).exists():
            message = _("This voucher does not exist (any more). Choose another.")
            raise Refused("unknown_voucher", message, field="definition")


class HasOpenVoucher(VoucherCriterion):
    """Holds a voucher of the definition that could be used today."""

    code = "vouchers.open"
    label = gettext_lazy("Has an open voucher")
    params = OneDefinition
    form = DefinitionForm

    def to_q(self, params: OneDefinition, *, now: dt.datetime) -> Q:
        held = Voucher.objects.open(on=local_date(now)).filter(customer=OuterRef("pk"), definition=params.definition)
        return Q(Exists(held))

    def sentence(self, params: OneDefinition) -> str:
        return _("hold %(voucher)s, still open") % {"voucher": _name(params.definition)}


class HasRedeemed(VoucherCriterion):
    """Redeemed (and not reversed) a voucher in the window."""

    code = "vouchers.redeemed"
    label = gettext_lazy("Redeemed a voucher")
    params = Redeemed
    form = RedeemedForm

    def to_q(self, params: Redeemed, *, now: dt.datetime) -> Q:
        return Q(Exists(_redeemed(params.definition, params.within_days, now)))

    def sentence(self, params: Redeemed) -> str:
        words = {"voucher": _name(params.definition), "days": params.within_days}
        if params.within_days is None:
            return _("redeemed %(voucher)s") % words
        return _("redeemed %(voucher)s in the past %(days)s days") % words


class NeverRedeemed(VoucherCriterion):
    """Never redeemed a voucher (of the definition)."""

    code = "vouchers.never_redeemed"
    label = gettext_lazy("Never redeemed a voucher")
    params = AnyDefinition
    form = OptionalDefinitionForm

    def to_q(self, params: AnyDefinition, *, now: dt.datetime) -> Q:
        return ~Q(Exists(_redeemed(params.definition, None, now)))

    def sentence(self, params: AnyDefinition) -> str:
        return _("never redeemed %(voucher)s") % {"voucher": _name(params.definition)}


def _redeemed(definition: int | None, within_days: int | None, now: dt.datetime) -> Any:
    found = Redemption.objects.standing().filter(customer=OuterRef("pk"), redeemed_at__lte=now)
    if definition is not None:
        found = found.filter(voucher__definition=definition)
    if within_days is not None:
        found = found.filter(redeemed_at__gt=now - dt.timedelta(days=within_days))
    return found


def _name(definition: int | None) -> str:
    if definition is None:
        return _("a voucher")
    name = Definition.objects.filter(pk=definition).values_list("name", flat=True).first()
    return _("the voucher “%(name)s”") % {"name": name or "?"}


for _criterion in (HasOpenVoucher(), HasRedeemed(), NeverRedeemed()):
    criteria.register(_criterion)
