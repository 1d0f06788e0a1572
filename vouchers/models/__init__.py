"""What vouchers are worth, the codes given out, and everything that happened to a code."""

from vouchers.models.definitions import Definition
from vouchers.models.redemptions import Attempt, Redemption, Reversal
from vouchers.models.vouchers import Voucher

__all__ = ["Attempt", "Definition", "Redemption", "Reversal", "Voucher"]
