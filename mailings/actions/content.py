"""Write content: as a whole, or block by block from the editor."""

from __future__ import annotations

import datetime as dt
import io
from typing import IO, Any, cast
from uuid import uuid4

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.actions.history import By, noted
from mailings.actions.versions import locked, take_number
from mailings.content import (
    COLUMNS,
    block_type,
    check_blocks,
    check_number,
    check_one,
    check_subject,
    fingerprint,
    lists_in,
    mark_of,
    without_ids,
)
from mailings.models import Content, Picture

PICTURE_KINDS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif"}
MAX_PICTURE_BYTES = 5_000_000
MAX_PICTURE_PIXELS = 40_000_000
KEPT_WIDTH = 1200  # pixels; twice the width of a mail, for sharp screens


@transaction.atomic
def save_content(
    content: Content | None,
    *,
    name: str,
    subject: str = "",
    preheader: str = "",
    blocks: list[dict[str, Any]] | None = None,
    was: str = "",
    by: By = None,
    now: dt.datetime,
) -> Content:
    """Make a content, or change one; without ``blocks`` those stay as they are. Blocks may lack ``id`` and
    ``audience``. ``was`` is the fingerprint of the subject and preview text that somebody began with.

    Raises Refused when a block, a merge field or an audience is not valid, or a colleague was first. Mailings that
    started keep what they had; saving the same again makes no new version.
    """
    check_subject(subject, preheader)
    content = locked(content) if content else Content(blocks=[])
    if was and was != fingerprint(content.subject, content.preheader):
        raise _conflict(content)
    before = (content.name, content.subject, content.preheader, content.blocks)
    content.name, content.subject, content.preheader = name[:120], subject.strip(), preheader.strip()
    if blocks is not None:
        content.blocks = check_blocks(blocks)
    if content.pk and before == (content.name, content.subject, content.preheader, content.blocks):
        return content
    take_number(content)
    content.updated_at = now
    with noted(by):
        content.save()
    return content


@transaction.atomic
def change_content(
    content: Content, *, version: int | None = None, by: By = None, now: dt.datetime, **fields: Any
) -> Content:
    """Change some fields of a content (as of ``save_content``); ``version`` is the one that somebody began with.

    Raises Refused as that does, and when that version is not the current one any more.
    """
    content = locked(content)
    if version is not None and version != content.version:
        words = _("It is at version %(version)d by now. Fetch it, and make your change in that.")
        raise Refused("conflict", words % {"version": content.version}, field="version")
    kept = {name: getattr(content, name) for name in ("name", "subject", "preheader")}
    return save_content(content, **{**kept, **fields}, by=by, now=now)


@transaction.atomic
def copy_content(content: Content, *, name: str, by: By = None, now: dt.datetime) -> Content:
    """Return a new content that says the same, with blocks of its own. Raises Refused when one is not valid now."""
    blocks = [without_ids(one) for one in content.blocks]
    words = {"subject": content.subject, "preheader": content.preheader}
    return save_content(None, name=name, **words, blocks=blocks, by=by, now=now)


@transaction.atomic
def add_block(
    content: Content,
    *,
    block: str,
    data: dict[str, Any],
    audience: dict[str, Any] | None = None,
    after: str = "",
    into: str = "",
    by: By = None,
    now: dt.datetime,
) -> str:
    """Add a block behind the one with id ``after``, or at the end; return its id. Raises Refused.

    ``into`` names a column: ``<id of the columns>:<number from 0>``.
    """
    content = locked(content)
    there = _list(content, into)
    one = check_one({"type": block, "data": data, "audience": audience}, in_column=bool(into))
    position = next((index for index, other in enumerate(there) if other["id"] == after), None)
    there.insert(len(there) if position is None else position + 1, one)
    check_number(content.blocks)
    _keep(content, by, now)
    return str(one["id"])


@transaction.atomic
def change_block(
    content: Content,
    block_id: str,
    *,
    data: dict[str, Any],
    audience: dict[str, Any] | None = None,
    was: str = "",
    by: By = None,
    now: dt.datetime,
) -> None:
    """Replace a block's data and audience; the blocks in columns stay unless ``data`` names them. ``was`` is the mark
    of the block that somebody began with. Raises Refused when it is gone or not valid, or a colleague was first.
    """
    content = locked(content)
    there, position = _place(content, block_id)
    old = there[position]
    if was and was != mark_of(old):
        raise _conflict(content)
    kept = {name: old["data"][name] for name in block_type(old["type"]).kept}
    changed = {**old, "data": {**kept, **data}, "audience": audience}
    there[position] = check_one(changed, in_column=there is not content.blocks)
    _keep(content, by, now)


@transaction.atomic
def remove_block(content: Content, block_id: str, *, by: By = None, now: dt.datetime) -> None:
    """Take a block out; the history keeps it. Removing it twice is no error."""
    content = locked(content)
    is_there = False
    for there in lists_in(content.blocks):
        is_there |= any(one["id"] == block_id for one in there)
        there[:] = [one for one in there if one["id"] != block_id]
    if is_there:
        _keep(content, by, now)


@transaction.atomic
def move_block(content: Content, block_id: str, *, by_places: int, by: By = None, now: dt.datetime) -> None:
    """Move a block up (negative) or down by some places, at most to the end of its list. Raises Refused when it is
    gone.
    """
    content = locked(content)
    there, position = _place(content, block_id)
    one = there.pop(position)
    there.insert(max(0, position + by_places), one)
    _keep(content, by, now)


@transaction.atomic
def order_blocks(content: Content, order: list[str], *, into: str = "", by: By = None, now: dt.datetime) -> None:
    """Put the blocks of the content, or of the column ``into``, in the order of their ids; blocks that are not named
    keep their place at the end. A block that stood in another list comes along. Raises Refused when it may not.
    """
    content = locked(content)
    there = _list(content, into)
    places = {block_id: place for place, block_id in enumerate(order)}
    for other in list(lists_in(content.blocks)):
        if other is not there:
            moving = [check_one(one, in_column=bool(into)) for one in other if one["id"] in places]
            other[:] = [one for one in other if one["id"] not in places]
            there += moving
    there.sort(key=lambda one: places.get(one["id"], len(places)))
    _keep(content, by, now)


@transaction.atomic
def put_block(content: Content, block_id: str, *, into: str = "", by: By = None, now: dt.datetime) -> None:
    """Put a block at the end of a column, or without ``into`` behind the columns that it stands in. Raises Refused
    when one of them is gone, or the block may not stand there.
    """
    content = locked(content)
    there, position = _place(content, block_id)
    goal = _list(content, into)
    if goal is there and not into:
        return
    one = check_one(there.pop(position), in_column=bool(into))
    around = [index for index, other in enumerate(goal) if any(column is there for column in _columns(other))]
    goal.insert(around[0] + 1 if around else len(goal), one)
    _keep(content, by, now)


@transaction.atomic
def add_picture(*, file: IO[bytes], alt: str, by: By = None, now: dt.datetime) -> Picture:
    """Check and keep an uploaded picture, at most 1200 pixels wide and without what a camera wrote into it. Raises
    Refused.
    """
    body = file.read(MAX_PICTURE_BYTES + 1)
    if len(body) > MAX_PICTURE_BYTES:
        raise Refused("picture_size", _("This picture is larger than 5 MB. Make it smaller first."), field="file")
    clean, kind, size = _redrawn(body)
    picture = Picture(key=uuid4(), alt=alt.strip(), width=size[0], height=size[1], created_at=now)
    picture.created_by = by if isinstance(by, User) else None
    picture.file.save(f"{picture.key}.{PICTURE_KINDS[kind]}", ContentFile(clean), save=False)
    picture.save()
    return picture


def _redrawn(body: bytes) -> tuple[bytes, str, tuple[int, int]]:
    """Draw the picture anew: what is not a picture cannot be drawn, and hidden data does not come along."""
    from PIL import Image as Pillow  # takes megabytes, and few processes draw

    try:
        with Pillow.open(io.BytesIO(body), formats=tuple(PICTURE_KINDS)) as picture:
            kind = str(picture.format)
            if picture.width * picture.height > MAX_PICTURE_PIXELS:
                raise Refused("picture_size", _("This picture has too many pixels."), field="file")
            if kind == "GIF" and getattr(picture, "is_animated", False):
                raise Refused("picture_moves", _("A picture that moves cannot be used."), field="file")
            picture.thumbnail((KEPT_WIDTH, KEPT_WIDTH * 4))
            mode = {"JPEG": "RGB", "GIF": "P"}.get(kind) or ("RGBA" if "A" in picture.getbands() else "RGB")
            drawn = io.BytesIO()
            picture.convert(mode).save(drawn, kind, **({"quality": 85} if kind == "JPEG" else {"optimize": True}))
            return drawn.getvalue(), kind, picture.size
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as error:
        raise Refused(
            "picture", _("This is not a picture we can use: take a JPEG, PNG or GIF."), field="file"
        ) from error


def _conflict(content: Content) -> Refused:
    last = content.records.select_related("pgh_context").latest("pgh_id")
    known = {
        "who": (last.pgh_context.metadata.get("by") if last.pgh_context else None) or _("A colleague"),
        "time": date_format(localtime(content.updated_at), "H:i"),
    }
    words = _(
        "%(who)s changed this at %(time)s, while you were writing. What you wrote still stands here: save once more to"
        " put it in the place of theirs. Theirs stays under Versions."
    )
    return Refused("conflict", words % known)


def _gone() -> Refused:
    return Refused("block_gone", _("This block is not there any more. Load the page again."))


def _list(content: Content, into: str) -> list[dict[str, Any]]:
    """Return the list itself that ``into`` names; raises Refused when it is gone."""
    if not into:
        return cast("list[dict[str, Any]]", content.blocks)
    columns_id, _colon, number = into.partition(":")
    for one in content.blocks:
        if one["id"] == columns_id and one["type"] == COLUMNS and number.isdecimal():
            columns = cast("list[list[dict[str, Any]]]", one["data"]["columns"])
            if int(number) < len(columns):
                return columns[int(number)]
    raise _gone()


def _columns(one: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return one["data"]["columns"] if one["type"] == COLUMNS else []


def _place(content: Content, block_id: str) -> tuple[list[dict[str, Any]], int]:
    """Return the list in which a block stands, and where; raises Refused when it is gone."""
    for there in lists_in(content.blocks):
        for position, one in enumerate(there):
            if one["id"] == block_id:
                return there, position
    raise _gone()


def _keep(content: Content, by: By, now: dt.datetime) -> None:
    take_number(content)
    content.updated_at = now
    with noted(by):
        content.save(update_fields=["blocks", "version", "parent", "updated_at"])
