"""What may be asked about customers and vouchers: held, received, redeemed, refused."""

from common.criteria import criteria
from vouchers.criteria import held, redeemed

for _criterion in (*held.CRITERIA, *redeemed.CRITERIA):
    criteria.register(_criterion)
