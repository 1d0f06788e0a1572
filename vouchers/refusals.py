"""Why a voucher is not taken in, in words that staff can read out, each with what to do. Pure: no query, no clock."""

from __future__ import annotations

from django.utils.translation import gettext as _

from common.errors import Refused


def refusal(code: str, **words: object) -> Refused:
    """Return the refusal with this code of ``Attempt.Reason``; ``words`` fill the gaps in its message."""
    return Refused(code, _messages()[code] % words, field=_FIELDS.get(code, "code"))


_FIELDS = {
    "other_customer": "customer_number",
    "customer_needed": "customer_number",
    "unknown_customer": "customer_number",
    "wrong_branch": "branch",
    "key_reused": "idempotency_key",
}


def _messages() -> dict[str, str]:
    return {
        "unknown": _("We do not know this code. Compare it symbol by symbol with the voucher, or scan it again."),
        "used": _("This voucher has been used before, last on %(when)s (%(where)s). It cannot be used again."),
        "expired": _("This voucher was valid until %(until)s. It can no longer be used."),
        "not_yet_valid": _("This voucher is valid from %(since)s. Ask the customer to come back then."),
        "blocked": _("This voucher has been blocked. Ask marketing whether the customer gets a new one."),
        "other_customer": _("This voucher is in another customer's name. Only that customer can use it."),
        "customer_needed": _("This voucher is in a customer's name. Give the customer number too."),
        "unknown_customer": _("We do not know customer number %(number)s. Check the number or scan the card again."),
        "wrong_branch": _("This voucher cannot be used here, but it can at: %(branches)s."),
        "definition_paused": _("This voucher has been paused for now. Ask marketing when it can be used again."),
        "definition_closed": _("This promotion has ended. The voucher can no longer be used."),
        "limit": _("The promotion is full: %(limit)s vouchers have been taken in, and that was the most."),
        "too_many_attempts": _("Too many wrong codes in a minute. Wait a minute and try again."),
        "key_reused": _("This request was sent before with other details. Start again with the code."),
    }
