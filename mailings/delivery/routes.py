"""Where connections lead: the relays that are in use, or the one mail server of EMAIL_URL."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from mailings.models import Relay

CONNECT_SECONDS = 10


@dataclass(frozen=True)
class Route:
    """One way out. ``relay_id`` is None for the mail server of EMAIL_URL when no relays are set up."""

    size: int
    relay_id: int | None = None
    name: str = ""
    variable: str = "EMAIL_URL"
    weight: int = 1
    per_second: int | None = None
    provider: str = ""  # of django-anymail, when mail goes over the web

    def open(self) -> smtplib.SMTP:
        """Return a connection that has been let in. Waits; raises what smtplib raises."""
        return open_connection(address_of(self.variable))


def routes(size: int) -> list[Route]:
    """Return the ways out that are in use, ``size`` connections wide when they do not say."""
    known = [
        Route(relay.connections, relay.pk, relay.name, relay.variable, relay.weight, relay.per_second, relay.provider)
        for relay in Relay.objects.filter(is_active=True)
        if relay.is_known
    ]
    return known or [Route(size)]


def address_of(variable: str) -> Mapping[str, Any]:
    """Return host, port, user, password and TLS as Django's settings call them."""
    if variable != "EMAIL_URL":
        found: Mapping[str, Any] = settings.RELAYS[variable]
        return found
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")
    return {f"EMAIL_{name}": getattr(settings, f"EMAIL_{name}") for name in names}


def open_connection(address: Mapping[str, Any]) -> smtplib.SMTP:
    """Return a connection that has been let in. Waits; raises what smtplib raises."""
    where = (address["EMAIL_HOST"], address["EMAIL_PORT"], settings.SITE_HOST)
    smtp: smtplib.SMTP
    if address["EMAIL_USE_SSL"]:
        smtp = smtplib.SMTP_SSL(*where, timeout=CONNECT_SECONDS, context=ssl.create_default_context())
    else:
        smtp = smtplib.SMTP(*where, timeout=CONNECT_SECONDS)
    try:
        smtp.ehlo_or_helo_if_needed()
        if address["EMAIL_USE_TLS"]:
            smtp.starttls(context=ssl.create_default_context())  # smtplib's own would trust anybody
        if address["EMAIL_HOST_USER"]:
            smtp.login(address["EMAIL_HOST_USER"], address["EMAIL_HOST_PASSWORD"])
        smtp.ehlo_or_helo_if_needed()
    except BaseException:
        smtp.close()
        raise
    return smtp


def try_out(variable: str) -> str:
    """Open a connection and close it; return what went wrong in the server's words, empty when all is well.

    Of a provider only the settings are looked at: whether it takes them shows at the first message.
    """
    if name := settings.RELAYS[variable].get("ANYMAIL"):
        from mailings.delivery.providers import Provider

        try:
            Provider(name).open()
        except (ImproperlyConfigured, ImportError) as error:
            return str(error)
        return ""
    try:
        smtp = open_connection(address_of(variable))
        smtp.quit()
    except (smtplib.SMTPException, OSError) as error:
        if isinstance(error, smtplib.SMTPResponseException):
            text = (
                error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
            )
            return f"{error.smtp_code} {text}"
        return str(error) or type(error).__name__
    return ""
