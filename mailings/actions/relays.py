"""Set over which mail servers mail leaves, and how fast it goes to whom."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.actions.history import By, noted
from mailings.models import DomainLimit, Relay

MOST_CONNECTIONS = 100
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")


@transaction.atomic
def save_relay(known: Relay | None, *, by: By = None, **fields: Any) -> Relay:
    """Make a mail server known, or change one; workers use it from their next run on, within seconds.

    Raises Refused for a name or setting that another has, a setting that is not there, and numbers out of bounds.
    """
    relay = known or Relay()
    for name, value in fields.items():
        setattr(relay, name, value)
    others = Relay.objects.exclude(pk=relay.pk)
    if others.filter(name=relay.name).exists():
        raise Refused("name_taken", _("There is a mail server of this name already."), field="name")
    if others.filter(variable=relay.variable).exists():
        raise Refused("variable_taken", _("Another mail server has this address already."), field="variable")
    if relay.variable not in settings.RELAYS:
        raise Refused("variable", _("Whoever runs the system has to set this first."), field="variable")
    if not 1 <= relay.connections <= MOST_CONNECTIONS:
        message = _("Choose from 1 to %d connections.") % MOST_CONNECTIONS
        raise Refused("connections", message, field="connections")
    if relay.per_second is not None and relay.per_second < 1:
        message = _("At least one message per second has to leave; take the server out of use to give it nothing.")
        raise Refused("per_second", message, field="per_second")
    if relay.weight < 1:
        raise Refused("weight", _("The share is at least 1; take the server out of use to give it nothing."))
    with noted(by):
        relay.save()
    return relay


@transaction.atomic
def remove_relay(relay: Relay, *, by: By = None) -> None:
    """Forget a mail server; messages keep the name of the one they went over."""
    with noted(by):
        relay.delete()


@transaction.atomic
def save_domain_limit(known: DomainLimit | None, *, domain: str, per_minute: int, by: By = None) -> DomainLimit:
    """Limit how fast mail goes to a domain, from the next messages on. Raises Refused for what is no domain."""
    domain = domain.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(domain):
        raise Refused("domain", _("Write only what stands behind the @, for example gmail.com."), field="domain")
    limit = known or DomainLimit()
    if DomainLimit.objects.filter(domain=domain).exclude(pk=limit.pk).exists():
        raise Refused("twice", _("This domain has a limit already; change that one."), field="domain")
    if per_minute < 1:
        raise Refused("per_minute", _("At least one message per minute has to leave."), field="per_minute")
    limit.domain, limit.per_minute = domain, per_minute
    with noted(by):
        limit.save()
    return limit


@transaction.atomic
def remove_domain_limit(limit: DomainLimit, *, by: By = None) -> None:
    """Let mail go to a domain as fast as its server takes it."""
    with noted(by):
        limit.delete()
