"""Send a content to colleagues before anybody else gets it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch, Customer, Purpose
from mailings.delivery import SENT, Envelope, send_test
from mailings.models import Content, SentTest
from mailings.previewing import preview_content
from mailings.rendering import sender_of

MOST_AT_ONCE = 20


def send_tests(
    content: Content,
    *,
    recipients: Sequence[User],
    purpose: Purpose,
    customer: Customer | None = None,
    audience: str = "",
    branch: Branch | None = None,
    by: User,
    now: dt.datetime,
) -> list[SentTest]:
    """Send the message to these colleagues as the customer, audience or branch would get it, and keep what became of
    each. Nothing is counted and no voucher is worth anything.

    Raises Refused without recipients, with too many, for one without an address, and when a block is gone.
    """
    if not recipients:
        raise Refused("no_recipient", _("Choose at least one colleague."), field="recipients")
    if len(recipients) > MOST_AT_ONCE:
        raise Refused("recipients", _("Choose at most %d colleagues.") % MOST_AT_ONCE, field="recipients")
    if any(not one.email for one in recipients):
        raise Refused("no_address", _("Your account has no e-mail address. Ask an administrator to fill it in."))
    preview = preview_content(content, purpose=purpose, customer=customer, audience=audience, branch=branch, now=now)
    sender = sender_of(preview.compiled, preview.identity).address
    done = []
    for one in recipients:
        outcome = send_test(Envelope(0, sender, one.email, preview.mail(address=one.email, purpose=purpose)))
        done.append(
            SentTest.objects.create(
                content=content,
                recipient=one,
                sent_by=by,
                subject=preview.subject[:250],
                audience=audience,
                as_customer=customer is not None,
                reply=outcome.reply[:200],
                sent_at=now,
                state=SentTest.State.SENT if outcome.state == SENT else SentTest.State.FAILED,
            )
        )
    return done
