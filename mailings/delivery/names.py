"""Ask the DNS for texts: the records by which others check our mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from mailings.dkim_keys import Signer

SECONDS = 5


class Texts(NamedTuple):
    """What the DNS has at a name; ``words`` say why nothing could be asked."""

    found: list[str]
    words: str = ""


def look_up_texts(name: str) -> Texts:
    """Return the TXT records of a name; none when it has none. Never raises for what a network or server can do."""
    import dns.exception  # four megabytes, only for who asks
    import dns.resolver

    try:
        resolver = dns.resolver.Resolver(configure=not settings.DNS_SERVER)
        if settings.DNS_SERVER:
            host, _colon, port = settings.DNS_SERVER.rpartition(":")
            resolver.nameservers, resolver.port = [host], int(port)
        answer = resolver.resolve(name, "TXT", lifetime=SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Texts([])
    except (dns.exception.DNSException, OSError, ValueError) as error:
        return Texts([], _("the DNS does not answer (%s)") % type(error).__name__)
    return Texts([b"".join(one.strings).decode("utf-8", "replace") for one in answer])


def wrong_with(signer: Signer) -> str:
    """Say what is wrong with the published half of a key; empty when receivers can check our signatures by it."""
    found, words = look_up_texts(signer.place)
    if words:
        return words
    records = [tags for text in found if "p" in (tags := _tags(text))]
    if not records:
        return _("there is no such record yet")
    if not any(_is_right(tags, signer) for tags in records):
        return _("there is a record, but of another key")
    return _("there are several records; remove all but one") if len(records) > 1 else ""


def _tags(text: str) -> dict[str, str]:
    """Read ``v=DKIM1; k=rsa; p=…``; spaces within a value mean nothing."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip(): re.sub(r"\s", "", value) for name, _equals, value in pairs}


def _is_right(tags: dict[str, str], signer: Signer) -> bool:
    kind = signer.algorithm.partition("-")[0]
    is_for_us = tags.get("v", "DKIM1") == "DKIM1" and tags.get("k", "rsa") == kind
    return is_for_us and tags["p"] == signer.public_key
