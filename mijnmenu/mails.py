"""Mails outside the queue: to an address that is nobody's yet, to confirm it, and to the one that it replaced."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from typing import TYPE_CHECKING

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from common.tokens import make_token
from mailings.delivery import Envelope
from mailings.models import SendingSettings
from mijnmenu.models import AddressChange

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

PURPOSE = "mijnmenu-address"


def confirmation_mail(change: AddressChange, *, now: dt.datetime) -> Envelope:
    """Return the mail to the new address, with a link that is valid for a day."""
    token = make_token(PURPOSE, [change.pk, change.customer.link_version])
    url = settings.BASE_URL + reverse("mijnmenu:address_link", args=[token])
    return _envelope(change, change.address, _("Confirm your new e-mail address"), "confirmation", {"url": url}, now)


def farewell_mail(change: AddressChange, *, now: dt.datetime) -> Envelope:
    """Return the mail to the address that was replaced; it holds no link and not the new address."""
    return _envelope(change, change.old_address, _("Your e-mail address was changed"), "farewell", {}, now)


def _envelope(
    change: AddressChange, to: str, subject: _StrPromise, template: str, known: dict[str, str], now: dt.datetime
) -> Envelope:
    identity = SendingSettings.load()
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # not every server takes eight
    with override(settings.LANGUAGE_CODE):
        mail["Subject"] = str(subject)
        context = {"customer": change.customer, "identity": identity, **known}
        mail.set_content(render_to_string(f"mijnmenu/{template}.txt", context))
    mail["From"] = formataddr((identity.sender_name, identity.sender_email))
    mail["To"] = to
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=settings.SITE_HOST)
    mail["Auto-Submitted"] = "auto-generated"
    return Envelope(0, identity.sender_email, to, mail.as_bytes())
