"""The organisation's identity and limits in sending."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.actions.history import By, noted
from mailings.models import SendingSettings


def ensure_sending_settings() -> SendingSettings:
    """Return the one row of settings; made from the environment when there is none."""
    return SendingSettings.objects.get_or_create(pk=1, defaults=SendingSettings.defaults())[0]


@transaction.atomic
def change_sending_settings(*, by: By = None, **fields: Any) -> SendingSettings:
    """Change settings; mailings that started keep the identity they were compiled with. Raises Refused."""
    ensure_sending_settings()
    current = SendingSettings.objects.select_for_update().get(pk=1)
    for name, value in fields.items():
        setattr(current, name, value)
    _check(current)
    with noted(by):
        current.save()
    return current


def _check(chosen: SendingSettings) -> None:
    if not chosen.send_from_hour < chosen.send_until_hour <= 24:
        raise Refused("hours", _("Sending has to stop after it starts."), field="send_until_hour")
    if not re.fullmatch("[1-7]+", chosen.send_days):
        raise Refused("days", _("Choose at least one day on which is sent."), field="send_days")
    if chosen.hold_out_percent > 50:
        raise Refused("hold_out", _("The control group is at most half."), field="hold_out_percent")
