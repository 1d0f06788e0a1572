"""What else follows when the gate lets somebody through; higher apps add theirs in a module ``follow_ups``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from common.registry import Registry
from mailings.models import Mailing


@dataclass(frozen=True)
class FollowUp:
    """``accepted`` is called when people who waited were accepted after all, and when a mailing that awaited approval
    got it; calling it twice must do no harm.
    """

    code: str
    accepted: Callable[[Mailing, dt.datetime], None]


follow_ups: Registry[FollowUp] = Registry("follow-up of the gate")
