"""What colleagues remark about a selection."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from common.errors import Refused
from selections.models import Comment, Selection

LONGEST = 2000


def write_comment(selection: Selection, *, text: str, by: User, now: dt.datetime) -> Comment:
    """Write a remark; raises Refused on an empty or an endless one."""
    text = text.strip()
    if not text:
        raise Refused("text_missing", _("Write something first."), field="text")
    if len(text) > LONGEST or "\0" in text:
        raise Refused("text", _("A comment has at most %d characters.") % LONGEST, field="text")
    return Comment.objects.create(selection=selection, author=by, text=text, written_at=now)


def delete_comment(comment: Comment, *, by: User) -> None:
    """Take a remark away; raises Refused on somebody else's."""
    if comment.author_id != by.pk:
        raise Refused("not_yours", _("Only who wrote a comment may delete it."))
    comment.delete()
