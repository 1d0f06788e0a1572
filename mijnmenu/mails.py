"""The one mail that goes to an address which is nobody's yet, to confirm it; mailings.delivery sends it."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.tokens import make_token
from mailings.delivery import Envelope
from mailings.models import SendingSettings
from mijnmenu.models import AddressChange

PURPOSE = "mijnmenu-address"


def confirmation_mail(change: AddressChange, *, now: dt.datetime) -> Envelope:
    """Return the mail to the new address, with a link that is valid for a day."""
    identity = SendingSettings.load()
    token = make_token(PURPOSE, [change.pk, change.customer.link_version])
    known = {
        "customer": change.customer,
        "identity": identity,
        "url": settings.BASE_URL + reverse("mijnmenu:address_link", args=[token]),
    }
    mail = EmailMessage(policy=SMTP)
    with override(settings.LANGUAGE_CODE):
        mail["Subject"] = _("Confirm your new e-mail address")
        mail.set_content(render_to_string("mijnmenu/confirmation.txt", known))
    mail["From"] = formataddr((identity.sender_name, identity.sender_email))
    mail["To"] = change.address
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = make_msgid(domain=settings.SITE_HOST)
    mail["Auto-Submitted"] = "auto-generated"
    return Envelope(0, identity.sender_email, change.address, mail.as_bytes())
