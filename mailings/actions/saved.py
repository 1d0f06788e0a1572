"""Keep a block under a name, and put copies of it into other messages."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.actions.content import add_block
from mailings.actions.history import By, noted
from mailings.content import every_block, without_ids
from mailings.models import Content, SavedBlock


@transaction.atomic
def keep_block(content: Content, block_id: str, *, name: str, by: By = None, now: dt.datetime) -> SavedBlock:
    """Keep a block of a content under a name that is still free, without its audience. Raises Refused."""
    one = next((one for one in every_block(content.blocks) if one["id"] == block_id), None)
    if one is None:
        raise Refused("block_gone", _("This block is not there any more. Load the page again."))
    _check_free(name)
    with noted(by):
        return SavedBlock.objects.create(
            name=name,
            type=one["type"],
            data=without_ids(one)["data"],
            created_by=by if isinstance(by, User) else None,
            created_at=now,
        )


@transaction.atomic
def use_saved_block(content: Content, saved: SavedBlock, *, into: str = "", by: By = None, now: dt.datetime) -> str:
    """Put a copy at the end of a content or column and return its id; raises Refused when it is not valid any more."""
    return add_block(content, block=saved.type, data=saved.data, into=into, by=by, now=now)


@transaction.atomic
def rename_saved_block(saved: SavedBlock, *, name: str, by: By = None) -> None:
    """Give it another name. Raises Refused when that is taken."""
    _check_free(name, but=saved)
    saved.name = name
    with noted(by):
        saved.save(update_fields=["name"])


@transaction.atomic
def remove_saved_block(saved: SavedBlock, *, by: By = None) -> None:
    """Forget it; the copies in messages stay."""
    with noted(by):
        saved.delete()


def _check_free(name: str, *, but: SavedBlock | None = None) -> None:
    others = SavedBlock.objects.exclude(pk=but.pk) if but else SavedBlock.objects.all()
    if others.filter(name__iexact=name).exists():
        raise Refused("name_taken", _("There is a saved block with this name already."), field="name")
