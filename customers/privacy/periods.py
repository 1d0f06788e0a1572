"""The rules of retention with what the organisation chose for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from dateutil.relativedelta import relativedelta

from common.retention import DAYS, MONTHS, RetentionRule, retention_rules
from common.time import start_of_day
from customers.models.privacy import RetentionSetting


@dataclass(frozen=True)
class Chosen:
    """A rule with what the organisation chose for it."""

    rule: RetentionRule
    is_on: bool
    period: int

    def before(self, day: dt.date) -> dt.datetime:
        """Return the moment before which the rule finds its rows on a day."""
        back = {DAYS: relativedelta(days=self.period), MONTHS: relativedelta(months=self.period)}
        return start_of_day(day - back.get(self.rule.unit, relativedelta()))


def chosen_rules() -> Iterator[Chosen]:
    """Yield every rule with its switch and period."""
    settings = {setting.code: setting for setting in RetentionSetting.objects.all()}
    for rule in retention_rules:
        setting = settings.get(rule.code)
        if rule.is_fixed or setting is None:
            yield Chosen(rule, rule.is_on or rule.is_fixed, rule.period)
        else:
            yield Chosen(rule, setting.is_on, setting.period)
