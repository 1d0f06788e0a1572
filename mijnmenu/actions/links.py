"""Ask for a link by e-mail address, and answer such requests by mail.

The page writes a row and nothing else, so it takes as long and says the same for an address we know and one we do not.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.errors import Refused
from customers.models import Customer, Purpose
from mailings.actions import save_content, start_mailing
from mailings.models import Content, Mailing
from mijnmenu.models import LinkRequest

log = logging.getLogger(__name__)

PER_MINUTE = 60  # for everybody together: a flood of requests is not passed on as a flood of mail
WAIT = dt.timedelta(minutes=10)  # an address that asked just now has its mail on the way
KEPT = dt.timedelta(days=30)
ORIGIN = "mijnmenu"
CONTENT = "MijnMenu: link"


@transaction.atomic
def ask_for_link(address: str, *, now: dt.datetime) -> LinkRequest | None:
    """Note that somebody wants a link at this address; None when that address asked shortly before.

    Raises Refused ``busy`` when there are too many requests at all.
    """
    address = address.strip().lower()
    if LinkRequest.objects.filter(asked_at__gt=now - dt.timedelta(minutes=1)).count() >= PER_MINUTE:
        raise Refused("busy", _("Many people ask for a link at this moment. Please try again in a few minutes."))
    if LinkRequest.objects.recent(address, since=now - WAIT).exists():
        return None
    return LinkRequest.objects.create(address=address, asked_at=now)


def answer_requests(*, now: dt.datetime) -> int:
    """Mail a link for each waiting request, one transaction each; return how many were handled."""
    handled = 0
    while _answer_next(now):
        handled += 1
    return handled


@transaction.atomic
def _answer_next(now: dt.datetime) -> bool:
    """Answer the oldest waiting request that no other worker has; one mail per mailbox, with a link per person."""
    request = LinkRequest.objects.waiting().select_for_update(skip_locked=True).first()
    if request is None:
        return False
    people = Customer.objects.filter(
        contact_points__channel="email", contact_points__is_primary=True, contact_points__value=request.address
    )
    request.outcome = _mail_link(request, people, now) if people.exists() else LinkRequest.Outcome.UNKNOWN
    request.handled_at = now
    request.save(update_fields=["outcome", "handled_at"])
    return True


def _mail_link(request: LinkRequest, people: QuerySet[Customer], now: dt.datetime) -> LinkRequest.Outcome:
    try:
        with transaction.atomic():
            start_mailing(
                name=CONTENT,
                origin=ORIGIN,
                due_key=f"mijnmenu-link:{request.pk}",
                purpose=Purpose.objects.get(code="service"),
                channels=Mailing.Channels.EMAIL,
                content=link_content(now=now),
                candidates=people,
                by=None,
                now=now,
            )
    except Refused as refused:
        log.error("request %s for a link cannot be answered: %s", request.pk, refused.code)
        return LinkRequest.Outcome.REFUSED
    return LinkRequest.Outcome.SENT


def link_content(*, now: dt.datetime) -> Content:
    """Return the content of the mail with the link; made on first use, after that it is as staff have changed it."""
    content = Content.objects.filter(name=CONTENT).order_by("id").first()
    if content:
        return content
    with override(settings.LANGUAGE_CODE):
        words = [
            _("You asked for a link to your own page. It is valid for 30 days and only meant for you."),
            _("Did you not ask for it? Then you can throw this mail away; nothing has been changed."),
        ]
        blocks = [
            {"type": "text", "data": {"text": f"<p>{words[0]}</p>"}},
            {"type": "mijnmenu", "data": {"text": _("Open my page")}},
            {"type": "text", "data": {"text": f"<p>{words[1]}</p>"}},
        ]
        return save_content(
            None, name=CONTENT, subject=_("Your link to your own page"), blocks=blocks, by=None, now=now
        )


def forget_old_requests(*, now: dt.datetime) -> int:
    """Delete requests of more than 30 days ago: they hold addresses of people we may not know."""
    return LinkRequest.objects.filter(asked_at__lt=now - KEPT).delete()[0]
