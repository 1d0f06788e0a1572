"""What was saved of a content, and what each time changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from common.blocks import blocks
from mailings.content import every_block
from mailings.models import Content

SHOWN = 100


@dataclass(frozen=True)
class Version:
    """A version as it was saved: by whom (key of a user, or None), when, and in words what changed."""

    number: int
    at: dt.datetime
    user_id: int | None
    changes: list[str]
    is_current: bool
    content: Content


def versions_of(content: Content) -> list[Version]:
    """Return the newest versions, latest first, in one query."""
    first_records = content.records.filter(version__gt=0).order_by("-version", "pgh_id").distinct("version")
    events = list(first_records.select_related("pgh_context")[: SHOWN + 1])
    by_number = {event.version: event for event in events}
    return [_version(event, by_number.get(event.parent), content) for event in events[:SHOWN]]


def version_of(content: Content, number: int) -> Version | None:
    """Return one version; None when it is not there."""
    events = content.records.select_related("pgh_context").order_by("pgh_id")
    event = events.filter(version=number).first() if number else None
    if event is None:
        return None
    return _version(event, events.filter(version=event.parent).first() if event.parent else None, content)


def _version(event: Any, before: Any, content: Content) -> Version:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    then = Content(
        name=content.name, subject=event.subject, preheader=event.preheader, blocks=event.blocks,
        updated_at=event.updated_at,
    )  # fmt: skip
    return Version(
        event.version,
        event.updated_at,
        metadata.get("user"),
        _changes(before, event),
        event.version == content.version,
        then,
    )


def _changes(before: Any, after: Any) -> list[str]:
    """Return what differs in words; nothing when the version before is not known."""
    if before is None:
        return []
    words = []
    if before.subject != after.subject:
        words.append(_("subject changed"))
    if before.preheader != after.preheader:
        words.append(_("preview text changed"))
    old = {one["id"]: one for one in every_block(before.blocks)}
    new = {one["id"]: one for one in every_block(after.blocks)}
    words += [_("added: %s") % _label(one) for key, one in new.items() if key not in old]
    words += [_("removed: %s") % _label(one) for key, one in old.items() if key not in new]
    words += [_("changed: %s") % _label(one) for key, one in new.items() if key in old and _own(one) != _own(old[key])]
    if not words and before.blocks != after.blocks:
        words.append(_("order changed"))
    return words


def _label(one: Mapping[str, Any]) -> str:
    block = blocks.get(one["type"])
    return str(block.label if block else one["type"])


def _own(one: Mapping[str, Any]) -> tuple[dict[str, Any], Any]:
    """Return what a block says itself: what stands in its columns is compared by itself."""
    return {key: value for key, value in one["data"].items() if key != "columns"}, one.get("audience")
