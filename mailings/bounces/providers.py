"""What mail providers (Mailgun, Postmark, SES, …) report over the web; django-anymail knows how each does it.

Its views are used for two things only: to check that the caller is the provider, and to read what he says.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from customers.names import is_email
from mailings.bounces.reading import DELIVERED, UNSUBSCRIBED, Report, kind_of, status_in
from mailings.links import read_message_id
from mailings.models import Bounce

#: What a provider gives back with each event, when it was sent along as metadata.
METADATA = "wise_message"

_KINDS = {
    "delivered": DELIVERED,
    "deferred": Bounce.Kind.DELAYED,
    "complained": Bounce.Kind.COMPLAINT,
    "autoresponded": Bounce.Kind.AUTO_REPLY,
    "unsubscribed": UNSUBSCRIBED,
}
_REFUSED = {"bounced", "rejected", "failed"}


@cache
def _views() -> dict[str, Callable[..., Any]]:
    """Return provider -> its view for events about what was sent. Loaded when first asked for: few use one."""
    from anymail.urls import urlpatterns

    suffix = "_tracking_webhook"
    found = {str(one.name): one.callback for one in urlpatterns if one.name and one.callback}
    return {name.removesuffix(suffix): view for name, view in found.items() if name.endswith(suffix)}


def read_events(provider: str, request: HttpRequest) -> list[Report] | None:
    """Return what a provider reports; None when there is none of that name, or nothing proves that it is the provider.

    Raises AnymailWebhookValidationFailure, which Django answers with 400, when the proof is wrong.
    """
    view_class: Any = getattr(_views().get(provider), "view_class", None)
    if view_class is None:
        return None
    from anymail.exceptions import AnymailInsecureWebhookWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AnymailInsecureWebhookWarning)  # turned away below
            view = view_class()  # which of them sign is known only once there is a key
        if view.warn_if_no_basic_auth and not settings.ANYMAIL.get("WEBHOOK_SECRET"):
            return None  # anymail would only warn, and let anybody in
        view.setup(request)
        view.run_validators(request)
    except ImproperlyConfigured:  # a provider that signs, and of which we have no key
        return None
    return [report for event in view.parse_events(request) if (report := _report(provider, event))]


def _report(provider: str, event: Any) -> Report | None:
    words = " ".join(str(event.mta_response or event.description or event.reject_reason or "").split())
    status = status_in(words)
    if event.event_type in _REFUSED:
        kind = Bounce.Kind.HARD if event.reject_reason == "invalid" else kind_of(status, words)
        if event.reject_reason == "bounced" and not status:  # the provider looked, and found it permanent
            kind = Bounce.Kind.HARD
    elif event.event_type in _KINDS:
        kind = _KINDS[event.event_type]
    else:
        return None
    address = (event.recipient or "").strip().lower()
    which = event.event_id or f"{event.message_id} {event.timestamp} {event.event_type}"
    message_id, is_proven = _message_named(event)
    return Report(
        kind,
        sha256(f"{provider}\n{which}\n{address}".encode("utf-8", "replace")).hexdigest(),
        address=address if is_email(address) else "",
        status=status,
        detail=words[:300],
        message_id=message_id,
        is_proven=is_proven,
    )


def _message_named(event: Any) -> tuple[int | None, bool]:
    """Return our message's id out of the metadata, or out of a Message-ID of ours."""
    told = str((event.metadata or {}).get(METADATA, ""))
    if told.isdecimal() and len(told) < 19:
        return int(told), True
    ours = read_message_id(f"<{str(event.message_id or '').strip('<>')}>")
    return ours, ours is not None
