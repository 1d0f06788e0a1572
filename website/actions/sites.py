"""Which websites and apps there are, and to which section and world their pages belong."""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import pghistory
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.models import Purpose, World
from website.models import PageRule, Site
from website.sites import forget_sites

USUAL_PURPOSE = "profiling"
_HOST = re.compile(
    r"(?=.{1,253}(:\d{1,5})?$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:\d{1,5})?"
)


@transaction.atomic
def add_site(
    *,
    name: str,
    hosts: Sequence[str],
    is_app: bool = False,
    keeps_queries: bool = False,
    keeps_pages: bool = False,
    purpose: Purpose | None = None,
    by: User | None,
    now: dt.datetime,
) -> Site:
    """Add a website or app with a new key; raises Refused for a name that is taken or a domain that is none."""
    site = Site(name=name, key=secrets.token_urlsafe(9), created_at=now)
    site.purpose = purpose or Purpose.objects.get(code=USUAL_PURPOSE)
    return _save(site, by, hosts=hosts, is_app=is_app, keeps_queries=keeps_queries, keeps_pages=keeps_pages)


@transaction.atomic
def change_site(site: Site, *, by: User | None, now: dt.datetime, **fields: Any) -> Site:
    """Change the settings of a site; its key stays. Raises Refused as ``add_site`` does."""
    return _save(Site.objects.select_for_update().get(pk=site.pk), by, **fields)


def _save(site: Site, by: User | None, **fields: Any) -> Site:
    for name, value in fields.items():
        setattr(site, name, value)
    site.hosts = sorted({_host(text) for text in site.hosts})
    if not site.hosts and not site.is_app:
        raise Refused("no_host", _("Name at least one domain, for example www.example.nl."), field="hosts")
    if Site.objects.filter(name__iexact=site.name).exclude(pk=site.pk).exists():
        raise Refused("taken", _("This name is in use already; choose another."), field="name")
    with pghistory.context(user=by.pk) if by else pghistory.context():
        site.save()
    transaction.on_commit(forget_sites)
    return site


def _host(text: str) -> str:
    """Return the host of a domain or address as people type it; raises Refused when it is none."""
    text = text.strip().lower()
    host = urlsplit(text if "//" in text else f"//{text}").netloc
    if not _HOST.fullmatch(host) or ("." not in host and not host.startswith("localhost")):
        raise Refused("bad_host", _("“%s” is not a domain, like www.example.nl.") % text, field="hosts")
    return host


@transaction.atomic
def add_rule(site: Site, *, prefix: str, section: str, world: World | None, by: User | None) -> PageRule:
    """Say to which section and world pages belong whose path begins with ``prefix``; an earlier rule is replaced."""
    path = "/" + prefix.strip().lower().lstrip("/")
    rule, _created = PageRule.objects.update_or_create(
        site=site, prefix=path, defaults={"section": section, "world": world}
    )
    transaction.on_commit(forget_sites)
    return rule


@transaction.atomic
def remove_rule(rule: PageRule, *, by: User | None) -> None:
    """Take a rule away; hits that came in keep the section they got."""
    rule.delete()
    transaction.on_commit(forget_sites)
