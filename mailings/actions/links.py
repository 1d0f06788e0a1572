"""Find out whether links answer: asked on a page, looked up by a worker, kept for a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from django.db import transaction

from mailings.delivery import Answer, look_up
from mailings.models import LinkCheck

AT_ONCE = 8
KEPT_DAYS = 30
State = LinkCheck.State
#: Answers that say: no page here. Others (log in, no robots) say that there is something.
_GONE = frozenset({404, 410})


@transaction.atomic
def ask_link_checks(urls: Iterable[str], *, ahead: dt.timedelta = dt.timedelta(0), now: dt.datetime) -> int:
    """Have these addresses looked up, except those that answered less than a day ago, or of which the answer
    counts for so long (``ahead``) to come; return how many. What was not there is asked for again: it may be back.
    Until a new answer is there the last one counts.
    """
    known = LinkCheck.objects.of(wanted := list(dict.fromkeys(urls)))
    # What waits already stays as it is: a worker may hold it for as long as the network takes.
    until = now + ahead
    stale = [url for url in wanted if url not in known or _is_worth_asking(known[url], until)]
    LinkCheck.objects.bulk_create(
        (LinkCheck(digest=LinkCheck.digest_of(url), url=url, asked_at=now) for url in sorted(stale)),
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["asked_at", "checked_at"],
    )
    return len(stale)


def _is_worth_asking(check: LinkCheck, until: dt.datetime) -> bool:
    return check.checked_at is not None and (check.is_bad or not check.is_fresh(until))


def check_links(*, ask: Callable[[str], Answer] = look_up, now: dt.datetime) -> int:
    """Look up what is waiting, some at once, and forget what nobody asked about for a month; return how many."""
    LinkCheck.objects.filter(asked_at__lt=now - dt.timedelta(days=KEPT_DAYS)).delete()
    done = 0
    while count := _check_some(ask, now):
        done += count
    return done


@transaction.atomic
def _check_some(ask: Callable[[str], Answer], now: dt.datetime) -> int:
    """Two workers take different ones; one that dies leaves its own waiting."""
    waiting = LinkCheck.objects.waiting().select_for_update(skip_locked=True).order_by("asked_at", "pk")
    some = list(waiting[:AT_ONCE])
    if not some:
        return 0
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = list(pool.map(ask, [one.url for one in some]))
    for one, answer in zip(some, answers, strict=True):
        words = "".join(sign for sign in answer.words if sign.isprintable())
        one.state, one.detail, one.checked_at = _state_of(answer), words[:200], now
    LinkCheck.objects.bulk_update(some, ["state", "detail", "checked_at"])
    return len(some)


def _state_of(answer: Answer) -> str:
    if answer.is_internal:
        return State.INTERNAL
    if answer.status is None or answer.status >= 500:
        return State.UNREACHABLE
    return State.BROKEN if answer.status in _GONE else State.FINE
