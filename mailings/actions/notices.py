"""Tell who planned something, by mail, that it stopped by itself: whoever waits for a mailing does not watch a page."""

from __future__ import annotations

import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from mailings.delivery import SENT, Envelope, send_test
from mailings.dkim import signed
from mailings.models import SendingSettings, StaffNotice

MOST_TRIES = 5
KEPT = dt.timedelta(days=30)  # so that the same is not told again


def tell_stopped(key: str, *, to: User | None, name: str, reason: str, page: str, now: dt.datetime) -> None:
    """Leave a mail to ``to``, once per key; nobody is told who left or has no address: the dashboard shows it anyway.

    ``name``: what stopped, such as "Birthday"; ``reason``: in words; ``page``: the path where it is mended.
    """
    if to and to.is_active and to.email:
        values = {"recipient": to, "name": name[:250], "reason": reason, "page": page, "asked_at": now}
        StaffNotice.objects.get_or_create(key=key, defaults=values)


def send_notices(*, now: dt.datetime) -> int:
    """Mail what waits and return how many left; at least once each, five tries."""
    StaffNotice.objects.filter(asked_at__lte=now - KEPT).delete()
    waiting = StaffNotice.objects.filter(sent_at=None, tries__lt=MOST_TRIES).order_by("pk")
    return sum(_send(pk, now) for pk in list(waiting.values_list("pk", flat=True)[:100]))


@transaction.atomic
def _send(pk: int, now: dt.datetime) -> bool:
    waiting = StaffNotice.objects.select_for_update(skip_locked=True, of=("self",)).select_related("recipient")
    notice = waiting.filter(pk=pk, sent_at=None, tries__lt=MOST_TRIES).first()
    if notice is None:
        return False
    is_sent = send_test(_mail(notice, now=now)).state == SENT
    notice.tries += 1
    notice.sent_at = now if is_sent else None
    notice.save(update_fields=["tries", "sent_at"])
    return is_sent


def _mail(notice: StaffNotice, *, now: dt.datetime) -> Envelope:
    identity = SendingSettings.load()
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))  # not every server takes eight
    with override(settings.LANGUAGE_CODE):
        mail["Subject"] = " ".join((_("Not sent: %(name)s") % {"name": notice.name}).split())
        known = {"notice": notice, "url": settings.BASE_URL + notice.page, "identity": identity}
        mail.set_content(render_to_string("mailings/stopped.txt", known))
    mail["From"] = formataddr((identity.sender_name, identity.sender_email))
    mail["To"] = notice.recipient.email
    mail["Date"] = format_datetime(now)
    # the same however often it is tried, so that a repeat can be recognised
    mail["Message-ID"] = f"<notice.{notice.pk}@{settings.SITE_HOST}>"
    mail["Auto-Submitted"] = "auto-generated"
    content = signed(mail.as_bytes(), author=identity.sender_email, now=now)
    return Envelope(0, identity.sender_email, notice.recipient.email, content)
