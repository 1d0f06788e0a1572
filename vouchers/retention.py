"""Who holds a voucher that can still be used is not erased by age."""

from django.utils.translation import gettext_lazy as _

from common.retention import Tie, ties

ties.register(
    Tie(
        "voucher",
        _("Has a voucher that can still be used"),
        """EXISTS (
            SELECT FROM vouchers_voucher AS voucher
            WHERE voucher.customer_id = customer.id AND voucher.state = 'issued'
                AND (voucher.valid_until IS NULL OR voucher.valid_until >= %(today)s)
        )""",
    )
)
