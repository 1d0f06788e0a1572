"""The voucher in a message: for each reader his own code, issued when the mailing starts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import Block, Medium, Values, blocks, prose, qr_url, slot
from vouchers import codes, drawings
from vouchers.actions import issue_vouchers_sql
from vouchers.models import Definition, Voucher

SAMPLE = "V00RBEE1DB0N"  # reads "voorbeeldbon"; its check symbol is wrong, so it can never be a real code


class VoucherForm(forms.Form):
    """Which voucher the readers get."""

    definition = forms.ModelChoiceField(
        Definition.objects.exclude(state=Definition.State.CLOSED),
        label=gettext_lazy("Voucher"),
        help_text=gettext_lazy("Each reader gets a code of their own. It must be active when the mailing starts."),
    )


class VoucherBlock(Block):
    """Slots ``voucher:<id>:…``: ``code`` (grouped), ``validity`` (words), ``qr`` (address), ``qr!``, ``barcode!``."""

    code = "voucher"
    label = gettext_lazy("Voucher")
    icon = "ticket-percent"
    form = VoucherForm

    def mjml(self, data: Mapping[str, Any]) -> str:
        definition = _definition(data)
        conditions = prose(definition.conditions)
        return (
            f'<mj-text mj-class="subtitle" align="center">{escape(definition.name)}</mj-text>'
            f'<mj-text mj-class="title" align="center">{escape(definition.benefit_words)}</mj-text>'
            f'<mj-image width="168px" alt="{escape(_("QR code of your voucher"))}" src="{_slot(data, "qr")}" />'
            f'<mj-text mj-class="code" align="center">{_slot(data, "code")}</mj-text>'
            f'<mj-text align="center">{_slot(data, "validity")}</mj-text>'
            + (f'<mj-text mj-class="muted" align="center">{conditions}</mj-text>' if conditions else "")
        )

    def text(self, data: Mapping[str, Any]) -> str:
        definition = _definition(data)
        lines = [
            definition.name,
            definition.benefit_words,
            f"{_('Code:')} {_slot(data, 'code')}",
            _slot(data, "validity"),
            definition.conditions.strip(),
        ]
        return "\n".join(line for line in lines if line)

    def letter(self, data: Mapping[str, Any]) -> str:
        definition = _definition(data)
        conditions = f'<p class="conditions">{prose(definition.conditions)}</p>' if definition.conditions else ""
        return (
            '<section class="voucher">'
            f'<div class="voucher-words"><h2>{escape(definition.name)}</h2>'
            f'<p class="benefit">{escape(definition.benefit_words)}</p>'
            f"<p>{_slot(data, 'validity')}</p>{conditions}</div>"
            f'<div class="voucher-code">{_slot(data, "qr!")}{_slot(data, "barcode!")}'
            f'<p class="code">{_slot(data, "code")}</p></div>'
            "</section>"
        )

    def summary(self, data: Mapping[str, Any]) -> str:
        definition = _definition(data)
        return f"{definition.name}: {definition.benefit_words}"

    def slots(self, data: Mapping[str, Any]) -> Sequence[str]:
        return [_name(data, part) for part in ("code", "validity", "qr", "qr!", "barcode!")]

    def prepare(self, data: Mapping[str, Any], *, customers_sql: str, origin: str, now: dt.datetime) -> None:
        issue_vouchers_sql(_definition(data), customers_sql, origin=origin, now=now)

    def values(
        self, data: Mapping[str, Any], *, customer_ids: Sequence[int], origin: str, medium: Medium
    ) -> Mapping[int, Values]:
        issued = Voucher.objects.filter(
            definition=data["definition"], origin=origin, customer__in=customer_ids
        ).values_list("customer_id", "code", "valid_from", "valid_until", "issued_at__date")
        return {
            customer_id: _values(data, code, _validity(first, last, issued_on), medium)
            for customer_id, code, first, last, issued_on in issued
        }

    def samples(self, data: Mapping[str, Any], *, medium: Medium) -> Values:
        definition = _definition(data)
        today = definition.valid_from or definition.created_at.date()
        first, last = definition.validity_of_issue(today)
        return _values(data, SAMPLE, _validity(first, last, today), medium)


def _definition(data: Mapping[str, Any]) -> Definition:
    return Definition.objects.get(pk=data["definition"])


def _name(data: Mapping[str, Any], part: str) -> str:
    return f"voucher:{data['definition']}:{part}"


def _slot(data: Mapping[str, Any], part: str) -> str:
    return slot(_name(data, part))


def _values(data: Mapping[str, Any], code: str, validity: str, medium: Medium) -> dict[str, str]:
    """Return the slots' values; drawings are made for paper only, mail gets the address of a picture."""
    values = {_name(data, "code"): codes.group(code), _name(data, "validity"): validity}
    if medium == "post":
        values[_name(data, "qr!")] = drawings.qr_svg(code)
        values[_name(data, "barcode!")] = drawings.barcode_svg(code)
    else:
        values[_name(data, "qr")] = qr_url(code)
    return values


def _validity(first: dt.date, last: dt.date | None, issued_on: dt.date) -> str:
    """Return the validity in words; the first day is only named when it is still to come at issue."""
    if first > issued_on:
        if last is None:
            return _("Valid from %(first)s") % {"first": date_format(first)}
        words = {"first": date_format(first), "last": date_format(last)}
        return _("Valid from %(first)s up to and including %(last)s") % words
    if last is None:
        return _("Valid until further notice")
    return _("Valid up to and including %(last)s") % {"last": date_format(last)}


blocks.register(VoucherBlock())
