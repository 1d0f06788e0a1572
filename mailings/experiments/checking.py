"""What is wrong with a message in any of its versions."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Customer, Purpose
from mailings.actions.experiments import check_experiment
from mailings.checks import Finding, Report, Severity, check_content
from mailings.experiments.arms import content_of
from mailings.models import Content, Experiment


def planned_test(content_id: int | None) -> Experiment | None:
    """Return the test that is set up for the next mailing of a content, or None."""
    return Experiment.objects.planned().filter(content=content_id).first() if content_id else None


def check_versions(
    content: Content,
    test: Experiment | None,
    *,
    purpose: Purpose,
    channels: str,
    candidates: QuerySet[Customer] | None = None,
    now: dt.datetime,
) -> Report:
    """Look at a content as it would go out now, and at each version of the test that is held with it.

    What is found in some versions only says in which; a test that cannot start is an error.
    """
    if test is None:
        return check_content(content, purpose=purpose, channels=channels, candidates=candidates, now=now)
    test.content = content
    reports = {
        arm.letter: check_content(content_of(arm), purpose=purpose, channels=channels, candidates=candidates, now=now)
        for arm in test.versions
    }
    everywhere = Counter(one for report in reports.values() for one in set(report.findings))
    found = list(_unfit(test, channels))
    for letter, report in reports.items():
        for one in report.findings:
            if everywhere[one] < len(reports):
                words = _("Version %(letter)s: %(words)s") % {"letter": letter, "words": one.words}
                found.append(replace(one, words=words, place=""))
            elif one not in found:
                found.append(one)
    order = list(Severity)
    passed = [
        check for check in next(iter(reports.values())).passed if all(check in one.passed for one in reports.values())
    ]
    return Report(sorted(found, key=lambda one: order.index(one.severity)), passed)


def _unfit(test: Experiment, channels: str) -> list[Finding]:
    try:
        check_experiment(test, channels=channels)
    except Refused as refused:
        return [Finding(f"test.{refused.code}", Severity.ERROR, str(refused))]
    return []
