"""A customer's own vouchers, to show at the counter or to print."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from common.time import local_date
from mijnmenu.views.base import CustomerView
from vouchers import drawings
from vouchers.letters import print_vouchers
from vouchers.models import Definition, Voucher


@dataclass(frozen=True)
class Card:
    """A voucher as it is shown: its state in words, with a tone."""

    voucher: Voucher
    state: str
    tone: str
    is_usable: bool

    @property
    def qr(self) -> SafeString:
        """The code as a drawing."""
        return drawings.qr_svg(self.voucher.code)

    @property
    def barcode(self) -> SafeString:
        """The code for scanners that read no QR."""
        return drawings.barcode_svg(self.voucher.code)


class VoucherList(CustomerView):
    part = "vouchers"
    template_name = "mijnmenu/vouchers.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        today = local_date(self.now)
        cards = [card_of(voucher, today) for voucher in Voucher.objects.for_pages().filter(customer=self.customer)]
        return self.show(
            usable=[card for card in cards if card.is_usable], others=[card for card in cards if not card.is_usable]
        )


class _OwnVoucher(CustomerView):
    part = "vouchers"

    @cached_property
    def voucher(self) -> Voucher:
        return get_object_or_404(Voucher.objects.for_pages(), pk=self.kwargs["pk"], customer=self.customer)


class OneVoucher(_OwnVoucher):
    template_name = "mijnmenu/voucher.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        branches = self.voucher.definition.branches.all()
        return self.show(card=card_of(self.voucher, local_date(self.now)), branches=branches)


class VoucherPdf(_OwnVoucher):
    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        headers: dict[str, Any] = {"Content-Disposition": f'inline; filename="bon-{self.voucher.grouped_code}.pdf"'}
        return HttpResponse(print_vouchers([self.voucher]), content_type="application/pdf", headers=headers)


def card_of(voucher: Voucher, today: dt.date) -> Card:
    """Say what can be done with a voucher today."""
    definition = voucher.definition
    if voucher.state == Voucher.State.REDEEMED:
        return Card(voucher, _("Used"), "neutral", is_usable=False)
    if voucher.state == Voucher.State.BLOCKED:
        return Card(voucher, _("No longer valid"), "neutral", is_usable=False)
    if voucher.is_expired(today):
        return Card(voucher, _("Expired"), "neutral", is_usable=False)
    if definition.state == Definition.State.CLOSED:
        return Card(voucher, _("The promotion has ended"), "neutral", is_usable=False)
    if definition.state != Definition.State.ACTIVE:
        return Card(voucher, _("Cannot be used for now"), "warning", is_usable=True)
    if voucher.valid_from > today:
        return Card(voucher, _("Not valid yet"), "info", is_usable=True)
    return Card(voucher, _("Can be used"), "success", is_usable=True)
