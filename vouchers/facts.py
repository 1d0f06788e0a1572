"""What customers do with vouchers, as kinds of facts; only the product itself writes them."""

from django.utils.translation import gettext_lazy as _

from customers.facts import FactKind, fact_kinds

REDEMPTION = fact_kinds.register(
    FactKind("redemption", _("Voucher redeemed"), _("redeemed a voucher"), "ticket", importable=False, has_amount=True)
)
REVERSAL = fact_kinds.register(
    FactKind("redemption_reversed", _("Redemption reversed"), _("got a voucher back"), "undo-2", importable=False)
)

SOURCE = "vouchers"  # the source of these facts, among the base data of customers
