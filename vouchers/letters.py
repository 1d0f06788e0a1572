"""Vouchers on paper: an A4 sheet per six vouchers, as PDF."""

from __future__ import annotations

from collections.abc import Iterable

from django.template.loader import render_to_string
from django.utils.translation import get_language

from common.paper import print_html
from vouchers import drawings
from vouchers.models import Voucher

#: More would make a browser wait too long for its PDF.
MOST_ON_PAPER = 600


def print_vouchers(vouchers: Iterable[Voucher]) -> bytes:
    """Return a PDF of these vouchers (at most MOST_ON_PAPER; with definition and customer fetched)."""
    cards = [
        {"voucher": voucher, "qr": drawings.qr_svg(voucher.code), "barcode": drawings.barcode_svg(voucher.code)}
        for voucher in vouchers
    ]
    html = render_to_string("letter/vouchers.html", {"cards": cards, "language": get_language()})
    return print_html(html)
