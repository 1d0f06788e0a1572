"""Versions of a content: go back and forth between them, put an old one back, take over another message's blocks."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.actions.history import By, noted
from mailings.content import check_blocks, check_subject, without_ids
from mailings.models import Content


def take_number(content: Content) -> None:
    """Give what is about to be saved the next number; it is made out of the version that is there now."""
    last = content.records.aggregate(last=Max("version"))["last"] if content.pk else 0
    content.parent, content.version = content.version, max(last or 0, content.version) + 1


@transaction.atomic
def undo(content: Content, *, by: By = None, now: dt.datetime) -> None:
    """Go back to the version this one was made out of. Raises Refused when there is none or it is not valid now."""
    content = locked(content)
    _show(content, _event(content, version=content.parent), by, now)


@transaction.atomic
def redo(content: Content, *, by: By = None, now: dt.datetime) -> None:
    """Go forth to the last version that was made out of this one. Raises Refused as ``undo`` does."""
    content = locked(content)
    _show(content, _event(content, parent=content.version), by, now)


@transaction.atomic
def restore_version(content: Content, number: int, *, by: By = None, now: dt.datetime) -> None:
    """Make a new version that says what an old one said. Raises Refused when that is gone or not valid any more."""
    content = locked(content)
    event = _event(content, version=number)
    _fill(content, event)
    take_number(content)
    _save(content, by, now)


@transaction.atomic
def take_over(content: Content, source: Content, *, in_place: bool, by: By = None, now: dt.datetime) -> None:
    """Put copies of another message's blocks below what stands here, or ``in_place`` of it with its subject too.

    Raises Refused when that makes too many blocks, or one is not valid any more.
    """
    content, source = locked(content), Content.objects.get(pk=source.pk)
    copies = [without_ids(one) for one in source.blocks]
    if in_place:
        content.subject, content.preheader = source.subject, source.preheader
    content.blocks = check_blocks(copies if in_place else [*content.blocks, *copies])
    take_number(content)
    _save(content, by, now)


def locked(content: Content) -> Content:
    """Return a content as it is now, held until the end. Raises Refused when it is the text of a version of a test that
    has started: that stays as it was sent, and nothing else would come of a change.
    """
    held = Content.objects.select_for_update(of=("self",)).select_related("arm__experiment").get(pk=content.pk)
    if is_sent_version(held):
        words = _("This text belongs to an A/B test that has started. It stays as it was sent; copy it to go on.")
        raise Refused("test_started", words)
    return held


def is_sent_version(content: Content) -> bool:
    """Tell whether this is the text of a version of a test that has started."""
    arm = getattr(content, "arm", None)
    return arm is not None and arm.experiment.mailing_id is not None


def _event(content: Content, **wanted: int) -> Any:
    """Return the newest record of a version; version 0 never was."""
    found = content.records.filter(version__gt=0, **wanted).order_by("-version", "-pgh_id").first()
    if found is None:
        raise Refused("no_version", _("There is no other version to go to."))
    return found


def _show(content: Content, event: Any, by: By, now: dt.datetime) -> None:
    _fill(content, event)
    content.version, content.parent = event.version, event.parent
    _save(content, by, now)


def _fill(content: Content, event: Any) -> None:
    check_subject(event.subject, event.preheader)
    content.subject, content.preheader = event.subject, event.preheader
    content.blocks = check_blocks(event.blocks)


def _save(content: Content, by: By, now: dt.datetime) -> None:
    content.updated_at = now
    with noted(by):
        content.save()
