"""manage.py receive_bounces: the mail entrance for reports, at BOUNCE_SMTP, until it is told to stop."""

from __future__ import annotations

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mailings.bounces.entrance import make_entrance


class Command(BaseCommand):
    help = "Takes mail to BOUNCE_ADDRESS at BOUNCE_SMTP (host:port) and reads what it reports."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCE_SMTP or not settings.BOUNCE_ADDRESS:
            raise CommandError("BOUNCE_SMTP and BOUNCE_ADDRESS are not set; see .env.example.")
        host, _colon, port = settings.BOUNCE_SMTP.rpartition(":")
        stops = {signal.SIGINT, signal.SIGTERM}
        signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before its thread starts, so that only this one is woken
        entrance = make_entrance(host.strip("[]"), int(port))
        entrance.start()
        self.stdout.write(f"Taking reports for {settings.BOUNCE_ADDRESS} at {settings.BOUNCE_SMTP}")
        signal.sigwait(stops)
        entrance.stop()
