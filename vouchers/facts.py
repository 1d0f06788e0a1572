"""What customers do with vouchers, as kinds of facts; only the product itself writes them."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.facts import FactKind, fact_kinds

REDEMPTION = fact_kinds.register(
    FactKind(
        "redemption",
        _("Voucher redeemed"),
        _("redeemed a voucher"),
        "ticket",
        importable=False,
        has_amount=True,
        participle=pgettext_lazy("have", "redeemed a voucher"),
    )
)
REVERSAL = fact_kinds.register(
    FactKind(
        "redemption_reversed",
        _("Redemption reversed"),
        _("got a voucher back"),
        "undo-2",
        importable=False,
        is_ours=True,
        participle=pgettext_lazy("have", "got a voucher back"),
    )
)

SOURCE = "vouchers"  # the source of these facts, among the base data of customers
