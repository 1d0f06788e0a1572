"""Post that came back: by the code on the letter, or by the number of the customer."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.actions.addresses import record_post_news
from customers.models import Customer
from customers.numbers import find
from mailings.actions.batches import post_batch
from mailings.actions.history import By, name_of
from mailings.letter_codes import LetterCode, read_letter_code
from mailings.models import LetterBatch, PostReturn, PrintedLetter
from mailings.piles import key_of

Reason = PostReturn.Reason


@transaction.atomic
def record_return(code: str, *, reason: str, by: By = None, now: dt.datetime) -> list[PostReturn]:
    """Note that a letter came back, for each who shares it: no letter goes to that address until it changes.

    ``code``: the one on the letter, else a customer number or card number. Who has another address since keeps that.
    Raises Refused when it is nobody's, when the reason is none, or when it was noted already.
    """
    if reason not in Reason.values:
        raise Refused("reason", _("Choose why it came back."), field="reason")
    place = read_letter_code(code)
    if place:
        found = [one for one in _printed(place) if not place.again or str(place.again) in one.later_keys]
        return [_record(one.message.customer, one, reason, by, now, again=place.again) for one in found]
    customer = find(code.strip())
    if customer is None:
        words = _("No letter and no customer has “%(code)s”. Type the code above the address, or a customer number.")
        raise Refused("unknown", words % {"code": code.strip()[:40]}, field="code")
    return [_record(customer, None, reason, by, now)]


def _printed(place: LetterCode) -> list[PrintedLetter]:
    """Return the readers of an envelope; its pile has been posted, whoever forgot to say so. The pile is held: a
    scanner that sends a code twice is told the second time.
    """
    batch = LetterBatch.objects.select_for_update(no_key=True).filter(pk=place.batch).first()
    printed = PrintedLetter.objects.select_related("message__customer__merged_into", "message__post_return")
    found = list(printed.filter(batch=place.batch, number=place.number))
    if batch is None or not any(not place.again or str(place.again) in one.later_keys for one in found):
        raise Refused("unknown", _("There is no such letter any more; its pile may have been undone."), field="code")
    slips = [one.message.post_return for one in found if hasattr(one.message, "post_return")]
    if slips and not any(one.again == place.again for one in slips):  # it was printed twice, and both came back
        people = [one.message.customer_id for one in found]
        others = PostReturn.objects.filter(customer__in=people, message=None, recorded_at__gte=batch.created_at)
        slips += others.filter(again=place.again)
    if known := next((one for one in slips if one.again == place.again), None):
        day = date_format(localtime(known.recorded_at), "j F Y H:i")
        raise Refused("wrong_state", _("This letter was noted already, on %(day)s.") % {"day": day}, field="code")
    post_batch(batch, by=None, now=batch.created_at)
    return found


def _record(
    customer: Customer, printed: PrintedLetter | None, reason: str, by: By, now: dt.datetime, *, again: int = 0
) -> PostReturn:
    customer = customer.merged_into or customer
    went_to = (printed.later_keys.get(str(again), "") if again else printed.address_key) if printed else ""
    went_elsewhere = bool(went_to and went_to != key_of(customer))
    # the first one to the old address came back too: that slip is the message's
    is_second = printed is not None and hasattr(printed.message, "post_return")
    noted = PostReturn.objects.create(
        customer=customer,
        message=printed.message if printed and not is_second else None,
        again=again,
        reason=reason,
        state_before=customer.address_state,
        was_old_address=went_elsewhere,
        recorded_by=by if isinstance(by, User) else None,
        recorded_at=now,
    )
    if not went_elsewhere and customer.address_state != Customer.AddressState.MOVED:  # that says more
        record_post_news(customer, state_after(reason), by=_who(by), now=now)
    return noted


def state_after(reason: str) -> str:
    """Return what a reason says of the address."""
    return Customer.AddressState.MOVED if reason == Reason.MOVED else Customer.AddressState.RETURNED


@transaction.atomic
def undo_return(noted: PostReturn, *, by: By = None, now: dt.datetime) -> None:
    """Take back a slip; what was known of the address before holds again, unless that has changed since or another
    letter came back too. Doing it twice is no error.
    """
    held = PostReturn.objects.select_for_update(of=("self",)).select_related("customer")
    slips = list(held.filter(customer=noted.customer_id, was_old_address=False, pk__gte=noted.pk).order_by("pk"))
    if slips and slips[0].pk == noted.pk:
        _let_go(*slips[:2], by=by, now=now)
    PostReturn.objects.filter(pk=noted.pk).delete()


def _let_go(first: PostReturn, later: PostReturn | None = None, *, by: By, now: dt.datetime) -> None:
    """Undo what a slip did to the address. Where a later one says the same, that one is what is known of it now."""
    known = state_after(first.reason)
    if later is None and first.customer.address_state == known:
        record_post_news(first.customer, first.state_before, by=_who(by), now=now)
    elif later is not None and later.state_before == known:
        PostReturn.objects.filter(pk=later.pk).update(state_before=first.state_before)


def _who(by: By) -> User | str:
    return by if isinstance(by, User) else name_of(by)
