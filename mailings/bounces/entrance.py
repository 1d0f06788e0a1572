"""A mail server of our own for reports (BOUNCE_SMTP): takes mail to BOUNCE_ADDRESS and its variants, and nothing else.

A mail is answered with 250 once what it reports is committed; until then whoever sent it keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import Error, connections

from common.time import clock
from mailings.actions.bounces import record_reports
from mailings.bounces.reading import read_reports
from mailings.links import read_bounce_address
from mailings.models import Bounce

log = logging.getLogger(__name__)

SIZE_LIMIT = 2 * 1024 * 1024  # a report may bring our whole mail back; that is far smaller
MOST_RECIPIENTS = 20


class Entrance:
    """What aiosmtpd asks at each command; names and answers are its interface."""

    async def handle_RCPT(  # noqa: N802 -- the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take what is for us, so that this never becomes a way to send mail to others."""
        if not is_ours(address):
            return "550 5.1.1 No such mailbox here"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep what it reports, then say so."""
        raw = envelope.original_content or b""
        keep = partial(_keep, raw, [str(address) for address in envelope.rcpt_tos])
        try:
            await asyncio.get_running_loop().run_in_executor(None, keep)
        except Error:
            log.warning("a report could not be kept: the database is away")
            return "451 4.3.0 Try again later"
        return "250 OK"


def is_ours(address: str) -> bool:
    """Tell whether an address is BOUNCE_ADDRESS, or the one of a message."""
    address = address.lower()
    host = settings.BOUNCE_ADDRESS.partition("@")[2]
    is_own = read_bounce_address(address) is not None and address.endswith(f"@{host}")
    return bool(host) and (address == settings.BOUNCE_ADDRESS or is_own)


def _keep(raw: bytes, recipients: list[str]) -> None:
    try:
        record_reports(read_reports(raw, recipients=recipients), source=Bounce.Source.SMTP, now=clock())
    finally:
        connections.close_all()  # of this thread: reports are few, and the next may come hours from now


def make_entrance(host: str, port: int) -> Controller:
    """Return the server; ``start`` and ``stop`` it."""
    return Controller(
        Entrance(),
        hostname=host,
        port=port,
        server_hostname=settings.SITE_HOST,
        data_size_limit=SIZE_LIMIT,
        ident="wise-marketing",
        enable_SMTPUTF8=False,
    )
