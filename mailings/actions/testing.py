"""Send a content to colleagues before anybody else gets it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Branch, Customer, Purpose
from customers.names import is_phone, normalise_phone
from mailings.actions.texts import check_text_ready
from mailings.delivery import SENT, Envelope, send_test
from mailings.delivery.texts import Text, text_provider
from mailings.experiments.previewing import preview_arm
from mailings.models import Arm, Content, SentTest, TextSettings
from mailings.previewing import preview_content
from mailings.queue import without_people
from mailings.rendering import sender_of
from mailings.sms.composing import write_test

MOST_AT_ONCE = 20
MOST_TEXTS_A_DAY = 20  # they cost money, and the number is typed by hand


def send_tests(
    content: Content,
    *,
    recipients: Sequence[User],
    purpose: Purpose,
    customer: Customer | None = None,
    audience: str = "",
    branch: Branch | None = None,
    arm: Arm | None = None,
    by: User,
    now: dt.datetime,
) -> list[SentTest]:
    """Send the message to these colleagues as the customer, audience or branch would get it, and keep what became of
    each. Nothing is counted and no voucher is worth anything. ``arm``: a version of its test instead, from its own
    sender; with examples in the fields.

    Raises Refused without recipients, with too many, for one without an address, and when a block is gone.
    """
    if not recipients:
        raise Refused("no_recipient", _("Choose at least one colleague."), field="recipients")
    if len(recipients) > MOST_AT_ONCE:
        raise Refused("recipients", _("Choose at most %d colleagues.") % MOST_AT_ONCE, field="recipients")
    if any(not one.email for one in recipients):
        raise Refused("no_address", _("Your account has no e-mail address. Ask an administrator to fill it in."))
    if arm:
        preview = preview_arm(arm, purpose=purpose, now=now)
    else:
        preview = preview_content(
            content, purpose=purpose, customer=customer, audience=audience, branch=branch, now=now
        )
    sender = sender_of(preview.compiled, preview.identity).address
    done = []
    for one in recipients:
        outcome = send_test(Envelope(0, sender, one.email, preview.mail(address=one.email, purpose=purpose)))
        done.append(
            SentTest.objects.create(
                content=content,
                arm=arm,
                recipient=one,
                sent_by=by,
                subject=_nameless(preview.subject, content.subject, customer),
                audience=audience,
                as_customer=customer is not None,
                reply=outcome.reply[:200],
                sent_at=now,
                state=SentTest.State.SENT if outcome.state == SENT else SentTest.State.FAILED,
            )
        )
    return done


def send_text_test(
    content: Content, *, number: str, purpose: Purpose, customer: Customer | None = None, by: User, now: dt.datetime
) -> SentTest:
    """Send the text message to a number of one's own, with examples in its fields or as a customer would get it. Its
    links lead straight to their targets and its voucher is worth nothing; who asked is kept, and how the number ends.

    Raises Refused without text or sender, at what is no number, and at too many a day.
    """
    short, to = check_text_ready(content), normalise_phone(number)
    if not is_phone(to):
        raise Refused("number", _("This is not a telephone number."), field="number")
    limits = TextSettings.load()
    text = write_test(short, purpose=purpose, customer_id=customer.pk if customer else None, now=now)
    test = SentTest(
        content=content,
        recipient=by,
        sent_by=by,
        number_ending=to[-3:],
        subject=_nameless(text, short.text, customer),
        as_customer=customer is not None,
        sent_at=now,
        state=SentTest.State.FAILED,
    )
    _take_turn(test, by=by, now=now)
    outcome = text_provider().send([Text(0, to, text, limits.sender)])[0]
    test.reply = without_people(outcome.reply)[:200]
    test.state = SentTest.State.SENT if outcome.state == SENT else SentTest.State.FAILED
    test.save(update_fields=["reply", "state"])
    return test


@transaction.atomic
def _take_turn(test: SentTest, *, by: User, now: dt.datetime) -> None:
    """Write a test down before it is sent, one at a time per person: it counts for those who ask at the same moment.
    Raises Refused at too many a day.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    today = SentTest.objects.filter(sent_by=by, sent_at__gt=now - dt.timedelta(days=1)).exclude(number_ending="")
    if today.count() >= MOST_TEXTS_A_DAY:
        raise Refused("too_many", _("At most %d text messages a day are sent as a test.") % MOST_TEXTS_A_DAY)
    test.save()


def _nameless(words: str, written: str, customer: Customer | None) -> str:
    """Return what is kept of a test: as it was read, but of one as a customer as it was written, without the values."""
    return (written if customer else words)[:250]
