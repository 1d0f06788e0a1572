"""Keep what somebody is typing in the editor, so that nothing is lost when a browser closes."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from mailings.models import Content, Draft

MAX_CHARACTERS = 60_000


@transaction.atomic
def keep_draft(content: Content, *, place: str, fields: dict[str, list[str]], by: User, now: dt.datetime) -> None:
    """Keep the fields of a form as they are now. Nothing is checked but the size; raises Refused at too much."""
    if sum(len(value) for values in fields.values() for value in values) > MAX_CHARACTERS or len(place) > 100:
        raise Refused("draft_size", _("This is too much to keep while you type. Save it."))
    fields = {name: [value.replace("\x00", "") for value in values] for name, values in fields.items()}
    Draft.objects.update_or_create(content=content, user=by, place=place, defaults={"fields": fields, "saved_at": now})


@transaction.atomic
def drop_draft(content: Content, *, place: str, by: User) -> None:
    """Forget what somebody was typing there: it was saved, or thrown away. Doing it twice is no error."""
    Draft.objects.filter(content=content, user=by, place=place).delete()


def forget_old_drafts(*, before: dt.datetime) -> int:
    """Forget what nobody came back to since; return how many."""
    return Draft.objects.filter(saved_at__lt=before).delete()[0]
