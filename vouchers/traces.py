"""What persons leave behind among vouchers outside their own rows: their card or number, held where a code belongs."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from common.sql import execute
from common.traces import Persons, Trace, traces
from vouchers.codes import normalise


def _forget_codes(persons: Persons) -> int:
    """Empty what was typed or scanned in place of a code."""
    typed = [normalise(text)[:40] for text in persons.texts]
    return execute(
        "UPDATE vouchers_attempt SET code = '' WHERE voucher_id IS NULL AND code <> '' AND code = ANY(%(typed)s)",
        {"typed": typed},
    )


traces.register(Trace("attempts", _("Numbers that were scanned in place of a voucher"), _forget_codes))
