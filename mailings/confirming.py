"""The mail that asks whether somebody really signed up: a service message to an address that may be nobody's yet."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.tokens import BadToken, make_token, read_token
from customers.actions.purposes import current_wording
from mailings.delivery import Envelope
from mailings.dkim import signed
from mailings.models import Confirmation, SendingSettings
from mailings.models.confirmations import VALID_DAYS

PURPOSE = "confirm"  # of the token


def confirm_url(confirmation: Confirmation) -> str:
    """Return the address of the page with the button."""
    return settings.BASE_URL + reverse("mijnmenu:confirm_link", args=[make_token(PURPOSE, confirmation.pk)])


def confirmation_of(token: str) -> Confirmation | None:
    """Return the sign-up that a link is about; None when the link is not ours or too old."""
    try:
        key = read_token(PURPOSE, token, max_age_days=VALID_DAYS)
    except BadToken:
        return None
    return Confirmation.objects.select_related("purpose").filter(pk=key).first() if isinstance(key, int) else None


def confirmation_mail(confirmation: Confirmation, *, is_reminder: bool, now: dt.datetime) -> Envelope:
    """Return the mail with the link, which is valid for 14 days after signing up."""
    identity = SendingSettings.load()
    words = current_wording(confirmation.purpose, now=now)
    known = {
        "confirmation": confirmation,
        "identity": identity,
        "is_reminder": is_reminder,
        "url": confirm_url(confirmation),
        "until": confirmation.asked_at + dt.timedelta(days=VALID_DAYS),
        "words": words.text if words and words.version == confirmation.wording_version else "",
    }
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # not every server takes eight
    with override(settings.LANGUAGE_CODE):
        subject = _("Reminder: confirm “%s”") if is_reminder else _("Confirm “%s”")
        mail["Subject"] = subject % confirmation.purpose.name
        mail.set_content(render_to_string("mailings/confirmation.txt", known))
    mail["From"] = formataddr((identity.sender_name, identity.sender_email))
    mail["To"] = confirmation.address
    mail["Date"] = format_datetime(now)
    # the same however often it is tried, so that a repeat can be recognised
    mail["Message-ID"] = f"<confirm.{confirmation.pk}.{int(is_reminder)}@{settings.SITE_HOST}>"
    mail["Auto-Submitted"] = "auto-generated"
    content = signed(mail.as_bytes(), author=identity.sender_email, now=now)
    return Envelope(0, identity.sender_email, confirmation.address, content)
