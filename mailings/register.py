"""Who carries our messages, and who gets the daily lists of people who may be reached."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from common.register import Recipient, recipients
from mailings.delivery.texts import api_of
from mailings.models import Publication


def _relay() -> Sequence[str]:
    return [settings.EMAIL_HOST] if settings.EMAIL_HOST else []


def _carrier_of_texts() -> Sequence[str]:
    return [urlsplit(api_of(settings.SMS_API).url).hostname or ""] if settings.SMS_API else []


def _readers_of_lists() -> Sequence[str]:
    lists = Publication.objects.filter(is_active=True).select_related("purpose").order_by("name")
    return [f"{one.recipient or one.name}: {one.purpose} ({one.get_channel_display()})" for one in lists]


recipients.register(
    Recipient(
        "relay",
        _("Mail server"),
        _("gets the address and text of each e-mail, to deliver it"),
        _relay,
    )
)
recipients.register(
    Recipient(
        "texts",
        _("Provider of text messages"),
        _("gets the number and text of each text message, to deliver it"),
        _carrier_of_texts,
    )
)
recipients.register(
    Recipient(
        "publications",
        _("Receivers of publications"),
        _("get each day who may be reached for a purpose, with the columns chosen, to write to them on our behalf"),
        _readers_of_lists,
    )
)
