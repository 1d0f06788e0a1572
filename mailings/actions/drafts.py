"""Keep what somebody is typing in the editor, so that nothing is lost when a browser closes."""

from __future__ import annotations

import datetime as dt
import json

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from common.sql import execute
from mailings.models import Content, Draft

MAX_CHARACTERS = 60_000
_KEEP = """
    INSERT INTO mailings_draft AS draft (content_id, user_id, place, fields, form, step, saved_at)
    VALUES (%(content)s, %(user)s, %(place)s, %(fields)s::jsonb, %(form)s, %(step)s, %(now)s)
    ON CONFLICT (content_id, user_id, place) DO UPDATE SET fields = excluded.fields, form = excluded.form,
        step = excluded.step, saved_at = excluded.saved_at
    WHERE draft.form = '' OR draft.form <> excluded.form OR draft.step < excluded.step
"""


@transaction.atomic
def keep_draft(
    content: Content,
    *,
    place: str,
    fields: dict[str, list[str]],
    form: str = "",
    step: int = 0,
    by: User,
    now: dt.datetime,
) -> None:
    """Keep the fields of a form as they are now; ``step`` counts what this ``form`` of a page has sent.

    Nothing is checked but the size. Raises Refused at too much, and when a later step came in first or the work of
    this form was saved or thrown away meanwhile: it must not come back.
    """
    if sum(len(value) for values in fields.values() for value in values) > MAX_CHARACTERS or len(place) > 100:
        raise Refused("draft_size", _("This is too much to keep while you type. Save it."))
    fields = {name: [value.replace("\x00", "") for value in values] for name, values in fields.items()}
    if not _write(content, place=place, fields=fields, form=form, step=min(step, Draft.ENDED - 1), by=by, now=now):
        raise Refused("draft_over", _("This was saved already. Load the page again before you go on."))


@transaction.atomic
def drop_draft(content: Content, *, place: str, form: str = "", by: User, now: dt.datetime) -> None:
    """Forget what somebody was typing there: it was saved, or thrown away. What ``form`` still has under way will be
    refused. Doing it twice is no error.
    """
    if form:
        _write(content, place=place, fields={}, form=form, step=Draft.ENDED, by=by, now=now)
    else:
        Draft.objects.filter(content=content, user=by, place=place).delete()


def _write(
    content: Content, *, place: str, fields: dict[str, list[str]], form: str, step: int, by: User, now: dt.datetime
) -> int:
    """One statement, so that two that arrive at once go one after the other; returns 0 when it came too late."""
    values = {"content": content.pk, "user": by.pk, "place": place, "fields": json.dumps(fields), "now": now}
    return execute(_KEEP, {**values, "form": form[:32], "step": step})


def forget_old_drafts(*, before: dt.datetime) -> int:
    """Forget what nobody came back to since; return how many."""
    return Draft.objects.filter(saved_at__lt=before).delete()[0]
