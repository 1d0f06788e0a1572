"""The checks before something goes out, as a rule: errors stop it, and who confirms warnings is kept.

Not among what ``mailings.actions`` offers as a whole, since the checks themselves import from there.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db.models import QuerySet

from customers.models import Customer, Purpose
from mailings.actions.links import ask_link_checks
from mailings.checks import Proof, confirm
from mailings.checks.links import links_of
from mailings.experiments.arms import content_of
from mailings.experiments.checking import check_versions, planned_test
from mailings.models import Content, SeenWarnings

#: An answer that counts no longer than this is asked for again: at the moment of sending it must count.
AHEAD = dt.timedelta(hours=6)


def pass_checks(
    content: Content,
    *,
    about: str,
    purpose: Purpose,
    channels: str,
    candidates: QuerySet[Customer] | None = None,
    with_test: bool = False,
    confirmed: str | None,
    by: User | None,
    now: dt.datetime,
) -> None:
    """Raise Refused on an error, and on warnings that ``confirmed`` (fingerprints) does not name; else keep who did.

    ``with_test``: in each version of the test that is set up for it, too.
    ``about``: what goes out, as in ``SeenWarnings``. ``confirmed`` None: a program asks, which is shown no warnings.
    """
    test = planned_test(content.pk) if with_test else None
    if confirmed is None:
        candidates = Customer.objects.filter(pk=0)  # errors are those of the content; nobody is counted to be warned of
    report = check_versions(content, test, purpose=purpose, channels=channels, candidates=candidates, now=now)
    confirm(report, confirmed=confirmed)
    if confirmed is not None and report.warnings:
        warnings = [{"code": one.code, "place": one.place, "words": str(one.words)} for one in report.warnings]
        SeenWarnings.objects.create(content=content, about=about, warnings=warnings, confirmed_by=by, confirmed_at=now)


def ask_links(content: Content, *, purpose: Purpose, channels: str, with_test: bool = False, now: dt.datetime) -> int:
    """Have the links of what goes out soon by itself looked up, unless their answer counts for some hours to come;
    return how many.
    """
    test = planned_test(content.pk) if with_test and content.pk else None
    texts = [content_of(arm) for arm in test.versions] if test else [content]
    urls = [one.url for text in texts for one in links_of(Proof(text, purpose, channels, now))]
    return ask_link_checks(urls, ahead=AHEAD, now=now)
