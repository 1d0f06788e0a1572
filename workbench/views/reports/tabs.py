"""The parts of a mailing, each with an address of its own."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from mailings.models import Mailing

PARTS = (
    ("sending", _("Overview"), "mailing_detail"),
    ("preview", _("The message"), "mailing_preview"),
    ("report", _("Report"), "mailing_report"),
    ("clicks", _("Click map"), "mailing_clicks"),
)


def mailing_tabs(mailing: Mailing, shown: str) -> list[dict[str, Any]]:
    """Return the parts of a mailing for c-tabs; only a mail can be shown with the clicks in it."""
    return [
        {"label": label, "url": reverse(f"workbench:{name}", args=[mailing.pk]), "active": code == shown}
        for code, label, name in PARTS
        if code != "clicks" or "email" in mailing.channels
    ]
