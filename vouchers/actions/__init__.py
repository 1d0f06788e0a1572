"""What can be done with vouchers: define, give out, take in, take back, block."""

from vouchers.actions.codes import block_voucher, reverse_redemption
from vouchers.actions.definitions import activate, change_voucher, check_benefit, close, define_voucher, pause
from vouchers.actions.issue import issue_anonymous, issue_vouchers, issue_vouchers_sql
from vouchers.actions.redeem import Offer, check, redeem

__all__ = [
    "Offer",
    "activate",
    "block_voucher",
    "change_voucher",
    "check",
    "check_benefit",
    "close",
    "define_voucher",
    "issue_anonymous",
    "issue_vouchers",
    "issue_vouchers_sql",
    "pause",
    "redeem",
    "reverse_redemption",
]
