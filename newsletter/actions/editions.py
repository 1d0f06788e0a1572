"""Editions: composed of text items for an audience each, planned, and handed over for sending once."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pghistory
from django.db import transaction
from django.db.models import Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from common.errors import Refused
from common.time import AMSTERDAM
from labels.models import Label
from mailings.actions import remove_experiment, save_content, start_mailing, tell_stopped
from mailings.actions.checked import ask_links, pass_checks
from mailings.content import block_type, check_data, check_subject
from mailings.experiments.checking import planned_test
from mailings.gate import HoldOut, Terms
from mailings.models import Content, Mailing
from newsletter.models import Edition, Newsletter, TextItem
from selections.models import Selection

if TYPE_CHECKING:
    from django.contrib.auth.models import User

logger = logging.getLogger(__name__)

#: How long a planned edition that could not be sent waits before it is tried again.
RETRY_AFTER = dt.timedelta(minutes=15)
#: How long it is tried again: later it may not be news any more, so somebody plans it anew.
RETRY_FOR = dt.timedelta(days=1)
#: Between which hours of Amsterdam it is tried again: nobody chose the night for it.
RETRY_HOURS = range(7, 21)
#: How long before an edition is due its links are looked up; more than the time between two looks.
LOOK_AHEAD = dt.timedelta(hours=2)


@transaction.atomic
def create_edition(
    newsletter: Newsletter,
    *,
    subject: str,
    preheader: str = "",
    introduction: str = "",
    by: User | None,
    now: dt.datetime,
) -> Edition:
    """Make a draft edition without items. Raises Refused on a faulty merge field."""
    if not newsletter.is_active:
        raise Refused("newsletter_stopped", _("“%s” does not appear any more.") % newsletter)
    check_subject(subject, preheader)
    with pghistory.context(**_who(by)):
        return Edition.objects.create(
            newsletter=newsletter, subject=subject, preheader=preheader,
            introduction=_checked_introduction(introduction), created_at=now,
        )  # fmt: skip


@transaction.atomic
def change_edition(
    edition: Edition, *, subject: str, preheader: str, introduction: str, by: User | None, now: dt.datetime
) -> Edition:
    """Change the head of an edition that was not sent yet; a planned one stays planned."""
    edition = _open_edition(edition)
    check_subject(subject, preheader)
    edition.subject, edition.preheader = subject, preheader
    edition.introduction = _checked_introduction(introduction)
    with pghistory.context(**_who(by)):
        edition.save()
    return edition


@transaction.atomic
def copy_edition(edition: Edition, *, by: User | None, now: dt.datetime) -> Edition:
    """Make a draft with the same words, items and audiences."""
    copy = create_edition(
        edition.newsletter, subject=edition.subject, preheader=edition.preheader,
        introduction=edition.introduction, by=by, now=now,
    )  # fmt: skip
    items = list(edition.items.all())
    for item in items:
        item.pk, item.edition = None, copy
    with pghistory.context(**_who(by)):
        TextItem.objects.bulk_create(items)
    return copy


@transaction.atomic
def delete_edition(edition: Edition, *, by: User | None) -> None:
    """Delete an edition that was not sent."""
    edition = _open_edition(edition)
    content = edition.content
    with pghistory.context(**_who(by)):
        edition.delete()
        if content:
            if test := planned_test(content.pk):
                remove_experiment(test, by=by)
            content.delete()


@transaction.atomic
def save_item(
    edition: Edition,
    *,
    item: TextItem | None = None,
    title: str,
    body: str,
    link: str = "",
    link_text: str = "",
    selection: Selection | None = None,
    label: Label | None = None,
    by: User | None,
    now: dt.datetime,
) -> TextItem:
    """Add a text item at the end, or change ``item``. With a selection or a label (not both) it is only for those.

    Raises Refused with the faulty field: an empty text, an unknown merge field, two audiences.
    """
    edition = _open_edition(edition)
    if selection and label:
        raise Refused("two_audiences", _("Choose a selection or a label, not both."), field="label")
    given = {"title": title, "text": body, "link": link, "link_text": link_text}
    data = _checked("article", given, names={"text": "body"})
    last = edition.items.aggregate(last=Max("position"))["last"] or 0
    item = item or TextItem(edition=edition, position=last + 1)
    item.title, item.body, item.link, item.link_text = data["title"], data["text"], data["link"], data["link_text"]
    item.selection, item.label = selection, label
    with pghistory.context(**_who(by)):
        item.save()
    return item


@transaction.atomic
def remove_item(item: TextItem, *, by: User | None) -> None:
    """Take an item out of an edition that was not sent yet."""
    _open_edition(item.edition)
    with pghistory.context(**_who(by)):
        item.delete()


@transaction.atomic
def order_items(edition: Edition, ids: Sequence[int], *, by: User | None) -> None:
    """Put the items in this order; items that are not named keep theirs, after the others."""
    edition = _open_edition(edition)
    place = {pk: number for number, pk in enumerate(ids)}
    items = sorted(edition.items.all(), key=lambda item: (place.get(item.pk, len(place)), item.position, item.pk))
    for number, item in enumerate(items, 1):
        item.position = number
    with pghistory.context(**_who(by)):
        TextItem.objects.bulk_update(items, ["position"])


@transaction.atomic
def plan_edition(
    edition: Edition, *, send_at: dt.datetime, confirmed: str | None = None, by: User | None, now: dt.datetime
) -> Edition:
    """Have the edition sent at a moment to come. Raises Refused when that has passed, when there is nothing to send,
    and as the checks do (``confirmed`` None: a program asks).
    """
    edition = _open_edition(edition)
    if send_at <= now:
        raise Refused("in_the_past", _("This moment has passed. Choose a later one."), field="send_at")
    _pass_checks(edition, write_content(edition, by=by, now=now), confirmed=confirmed, by=by, now=now)
    edition.state, edition.send_at, edition.error = Edition.State.PLANNED, send_at, ""
    edition.planned_by = by
    with pghistory.context(**_who(by)):
        edition.save()
    return edition


@transaction.atomic
def unplan_edition(edition: Edition, *, by: User | None) -> Edition:
    """Make a planned edition a draft again."""
    edition = _open_edition(edition)
    edition.state, edition.send_at, edition.error = Edition.State.DRAFT, None, ""
    edition.planned_by = None
    with pghistory.context(**_who(by)):
        edition.save()
    return edition


@transaction.atomic
def send_edition(edition: Edition, *, confirmed: str | None = None, by: User | None, now: dt.datetime) -> Mailing:
    """Hand the edition to the gate for those who are subscribed at ``now``; a second time gives the same mailing.

    ``confirmed``: by hand, the warnings that were seen; None when it was planned: what was right then is looked at
    again, and an error stops it. Raises Refused when there is nothing to send, its newsletter has stopped, or as the
    checks do.
    """
    edition = (
        Edition.objects.select_for_update(of=("self",))
        .select_related("newsletter__purpose", "mailing", "planned_by")
        .get(pk=edition.pk)
    )
    if edition.mailing:
        return edition.mailing
    newsletter = edition.newsletter
    if not newsletter.is_active:
        raise Refused("newsletter_stopped", _("“%s” does not appear any more.") % newsletter)
    content = write_content(edition, by=by, now=now)
    _pass_checks(edition, content, confirmed=confirmed, by=by, now=now)
    terms = terms_of(newsletter)
    edition.mailing = start_mailing(
        name=f"{newsletter.name}: {edition.subject}"[:160],
        origin=f"edition:{edition.pk}",
        due_key=f"edition:{edition.pk}",
        purpose=newsletter.purpose,
        channels=Mailing.Channels.EMAIL,
        content=content,
        candidates=newsletter.subscribers(now=now),
        priority=terms.priority,
        hold_out=terms.hold_out,
        with_test=True,
        by=by,
        planned_by=edition.planned_by,
        now=now,
    )
    edition.state, edition.send_at, edition.error = Edition.State.SENT, edition.send_at or now, ""
    with pghistory.context(**_who(by)):
        edition.save()
    return edition.mailing


def terms_of(newsletter: Newsletter) -> Terms:
    """Return what the gate is asked for an edition; the control group is the same for all editions of a newsletter."""
    hold_out = HoldOut(newsletter.hold_out_percent, f"newsletter:{newsletter.pk}")
    return Terms(newsletter.purpose, Mailing.Channels.EMAIL, priority=newsletter.priority, hold_out=hold_out)


def send_due_editions(*, now: dt.datetime) -> list[Edition]:
    """Send the planned editions whose moment has come, and return them; one that fails does not stop the others.

    Its error is kept in words and it is tried again after a while, by day and for a day. Each is a transaction of its
    own.
    """
    wanted = Q(error="")
    if now.astimezone(AMSTERDAM).hour in RETRY_HOURS:
        wanted |= Q(tried_at__lte=now - RETRY_AFTER, send_at__gt=now - RETRY_FOR)
    due = Edition.objects.due(now).filter(wanted).select_related("newsletter", "planned_by")
    sent = []
    for edition in due.order_by("send_at", "pk"):
        try:
            send_edition(edition, by=None, now=now)
            sent.append(edition)
        except Refused as refusal:
            words = str(refusal)
        except Exception as error:  # one faulty edition must not stop the others; it is logged and shown to staff
            logger.exception("edition %d is not sent", edition.pk)
            words = _("Fault in the program: %(error)s") % {"error": f"{type(error).__name__}: {error}"[:300]}
        else:
            continue
        if Edition.objects.filter(pk=edition.pk, mailing__isnull=True).update(error=words, tried_at=now):
            _tell(edition, words, now=now)
    return sent


def _tell(edition: Edition, words: str, *, now: dt.datetime) -> None:
    name = f"{edition.newsletter}: {edition.subject}"
    page = reverse("workbench:edition_detail", args=[edition.pk])
    key = f"edition:{edition.pk}:{edition.send_at:%Y-%m-%d %H:%M}"
    tell_stopped(key, to=edition.planned_by, name=name, reason=words, page=page, now=now)


def ask_links_ahead(*, now: dt.datetime) -> int:
    """Have the links of the editions that are soon due looked up, as they are by now and in the versions of a test, so
    that a page that is gone stops them; return how many links.
    """
    soon = Edition.objects.due(now + LOOK_AHEAD).select_related("content", "newsletter__purpose")
    return sum(
        ask_links(text, purpose=one.newsletter.purpose, channels=Mailing.Channels.EMAIL, with_test=True, now=now)
        for one in soon
        for text in (draft_content(one), one.content)
        if text
    )


def write_content(edition: Edition, *, by: User | None, now: dt.datetime) -> Content:
    """Write the items as blocks with their audiences into the edition's content, for preview and sending.

    Raises Refused when there is no item or no subject.
    """
    items = list(edition.items.all())
    if not items:
        raise Refused("no_items", _("This edition has no text items yet. Add at least one."))
    content = save_content(
        edition.content,
        name=f"{edition.newsletter.name}: {edition.subject}"[:120],
        subject=edition.subject,
        preheader=edition.preheader,
        blocks=_blocks(edition, items),
        by=by,
        now=now,
    )
    if edition.content_id != content.pk:
        edition.content = content
        edition.save(update_fields=["content"])
    return content


def draft_content(edition: Edition) -> Content:
    """Return the content as ``write_content`` would write it now, without keeping it."""
    blocks = [{"audience": None, **one} for one in _blocks(edition, list(edition.items.all()))]
    return Content(name=edition.subject, subject=edition.subject, preheader=edition.preheader, blocks=blocks)


def _blocks(edition: Edition, items: Sequence[TextItem]) -> list[dict[str, Any]]:
    introduction = [{"id": "introduction", "type": "text", "data": {"text": edition.introduction}}]
    articles = [
        {
            "id": f"item-{item.pk}",
            "type": "article",
            "data": {"title": item.title, "text": item.body, "link": item.link, "link_text": item.link_text},
            "audience": item.audience,
        }
        for item in items
    ]
    return [*(introduction if edition.introduction else []), *articles]


def _pass_checks(
    edition: Edition, content: Content, *, confirmed: str | None, by: User | None, now: dt.datetime
) -> None:
    newsletter = edition.newsletter
    pass_checks(
        content, about=f"edition:{edition.pk}", purpose=newsletter.purpose, channels=Mailing.Channels.EMAIL,
        candidates=newsletter.subscribers(now=now), with_test=True, confirmed=confirmed, by=by, now=now,
    )  # fmt: skip


def _open_edition(edition: Edition) -> Edition:
    """Return the edition as it is now, held until the end; raises Refused when it was sent."""
    edition = Edition.objects.select_for_update(of=("self",)).select_related("newsletter", "content").get(pk=edition.pk)
    if edition.state == Edition.State.SENT:
        raise Refused("edition_sent", _("This edition was sent and stays as it was. Make a copy to go on with."))
    return edition


def _checked_introduction(introduction: str) -> str:
    return str(_checked("text", {"text": introduction}, names={"text": "introduction"})["text"]) if introduction else ""


def _checked(code: str, data: dict[str, str], *, names: dict[str, str]) -> dict[str, Any]:
    """Return a block's data as it is kept; a refusal names our field instead of the block's."""
    try:
        return check_data(block_type(code), data)
    except Refused as refusal:
        field = names.get(refusal.field or "", refusal.field)
        raise Refused(refusal.code, refusal.message, field=field) from refusal


def _who(by: User | None) -> dict[str, Any]:
    return {"user": by.pk} if by else {}
