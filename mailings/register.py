"""Who carries our messages: the mail server of the organisation, and the press for letters."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common.register import Recipient, recipients


def _relay() -> Sequence[str]:
    return [settings.EMAIL_HOST] if settings.EMAIL_HOST else []


recipients.register(
    Recipient(
        "relay",
        _("Mail server"),
        _("gets the address and text of each e-mail, to deliver it"),
        _relay,
    )
)
