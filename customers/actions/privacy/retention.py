"""The night that removes what was kept long enough, rule by rule, and says what it did."""

from __future__ import annotations

import datetime as dt
import logging

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.retention import retention_rules
from customers.models import RetentionRun
from customers.models.privacy import RegisterTexts, RetentionSetting
from customers.privacy.periods import Chosen, chosen_rules

log = logging.getLogger(__name__)


@transaction.atomic
def change_retention(code: str, *, is_on: bool, period: int, by: User | None, now: dt.datetime) -> RetentionSetting:
    """Switch a rule and set its period. Raises Refused: unknown_rule, fixed, bad_period."""
    rule = retention_rules.get(code)
    if rule is None:
        raise Refused("unknown_rule", _("This rule does not exist."))
    if rule.is_fixed:
        raise Refused("fixed", _("This rule cannot be changed."))
    if rule.unit and not 1 <= period <= rule.most:
        raise Refused("bad_period", _("Choose a period between 1 and %d.") % rule.most, field="period")
    with pghistory.context(user=by.pk) if by else pghistory.context():
        setting, _created = RetentionSetting.objects.update_or_create(
            code=code, defaults={"is_on": is_on, "period": period if rule.unit else 0}
        )
    log.info("user %s set retention %s to %s, on: %s", by.pk if by else "-", code, period, is_on)
    return setting


def preview_retention(*, day: dt.date, now: dt.datetime) -> list[tuple[Chosen, int]]:
    """Return each rule with how many rows it would touch in the night of ``day``; switched off ones too."""
    return [(chosen, chosen.rule.count(chosen.before(day), now)) for chosen in chosen_rules()]


def run_retention(day: dt.date, *, now: dt.datetime) -> RetentionRun:
    """Apply the rules that are switched on, once a day; return the run with its counts.

    Each rule commits by itself and is noted when done, so a night that broke off goes on where it was. A rule that
    fails is logged and counts as -1; the others go on. Must not run inside a transaction.
    """
    run, _created = RetentionRun.objects.get_or_create(day=day, defaults={"started_at": now})
    if run.finished_at:
        return run
    for chosen in chosen_rules():
        if not chosen.is_on or run.counts.get(chosen.rule.code, -1) >= 0:
            continue
        try:
            run.counts[chosen.rule.code] = chosen.rule.apply(chosen.before(day), now)
        except Exception:
            log.exception("retention rule %s failed", chosen.rule.code)
            run.counts[chosen.rule.code] = -1
        run.save(update_fields=["counts"])
    run.finished_at = now
    run.save(update_fields=["finished_at"])
    return run


@transaction.atomic
def save_register_texts(*, by: User, now: dt.datetime, **texts: str) -> RegisterTexts:
    """Keep the texts of the register of processing that only the organisation can write."""
    row = RegisterTexts.load()
    for name, text in texts.items():
        setattr(row, name, text.strip())
    row.changed_at = now
    row.save()
    log.info("user %s changed the texts of the register of processing", by.pk)
    return row
