"""Write the daily lists of who may be reached: into the database, a file, and word of it to another system."""

from __future__ import annotations

import csv
import datetime as dt
import json
import secrets
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from common.errors import DeliveryFailed, Refused
from common.sql import execute
from common.time import AMSTERDAM, local_date
from customers.models import Purpose, PurposeChannel
from mailings import gate, publishing
from mailings.actions.history import By, noted
from mailings.delivery import post_webhook
from mailings.models import Publication, PublicationRun, PublishedPerson

KEPT_FILES = 7
KEPT_RUNS_DAYS = 400
MOST_TRIES = 6
_WAIT = (1, 5, 30, 120, 360)  # minutes between tries of a webhook


@transaction.atomic
def save_publication(
    publication: Publication | None,
    *,
    name: str,
    purpose: Purpose,
    channel: str,
    columns: Sequence[str],
    has_file: bool,
    webhook_url: str,
    daily_at: dt.time,
    is_active: bool,
    recipient: str = "",
    by: By,
    now: dt.datetime,
) -> Publication:
    """Make or change a publication; its next run is the first ``daily_at`` after now. ``recipient``: who gets it.

    Raises Refused: a name in use, a channel that the purpose does not use, an unknown or missing column, a webhook that
    is not https.
    """
    others = Publication.objects.exclude(pk=publication.pk) if publication else Publication.objects.all()
    if others.filter(name__iexact=name).exists():
        raise Refused("name_taken", _("There is a publication with this name already."), field="name")
    if purpose.channels.filter(channel=channel, basis=PurposeChannel.Basis.NONE).exists():
        raise Refused("channel", _("This purpose is not used over this channel. Choose another."), field="channel")
    chosen = [code for code in publishing.COLUMNS if code in columns]
    if not {"number", "email"} & set(chosen) or set(columns) - set(chosen):
        # what is erased must be found again in the files
        raise Refused("columns", _("Choose at least the customer number or the e-mail address."), field="columns")
    if webhook_url and urlsplit(webhook_url).scheme != "https" and not settings.IS_LOCAL:
        raise Refused("webhook", _("The address of a webhook begins with https://."), field="webhook_url")
    publication = publication or Publication(created_at=now)
    publication.name, publication.purpose, publication.channel = name, purpose, channel
    publication.columns, publication.has_file, publication.webhook_url = chosen, has_file, webhook_url
    publication.daily_at, publication.is_active, publication.recipient = daily_at, is_active, recipient
    publication.next_at = next_moment(daily_at, now=now)
    if webhook_url and not publication.webhook_secret:
        publication.webhook_secret = f"whsec_{b64encode(secrets.token_bytes(32)).decode()}"
    with noted(by):
        publication.save()
    return publication


def next_moment(daily_at: dt.time, *, now: dt.datetime) -> dt.datetime:
    """Return the first moment after ``now`` at which it is that time in Amsterdam."""
    day = local_date(now)
    today = dt.datetime.combine(day, daily_at, tzinfo=AMSTERDAM)
    return today if today > now else dt.datetime.combine(day + dt.timedelta(days=1), daily_at, tzinfo=AMSTERDAM)


def run_due_publications(*, now: dt.datetime) -> int:
    """Run each publication whose time has come, one transaction each; return how many."""
    done = 0
    while _run_next(now):
        done += 1
    return done


@transaction.atomic
def _run_next(now: dt.datetime) -> bool:
    due = Publication.objects.due(now=now).select_for_update(skip_locked=True).order_by("next_at", "pk")
    publication = due.first()
    if publication is None:
        return False
    run_publication(publication, now=now)
    publication.next_at = next_moment(publication.daily_at, now=now)
    publication.save(update_fields=["next_at"])
    return True


@transaction.atomic
def run_publication(publication: Publication, *, now: dt.datetime) -> PublicationRun:
    """Write today's list anew and return the run; a second one on a day replaces the first.

    1. the gate says who may be reached; 2. the list in the database; 3. the file. Who asks for a webhook gets it from
    ``send_webhooks``, once this stands. A folder that cannot be written ends in ``error``, and the list stands.
    """
    publication = Publication.objects.select_for_update(no_key=True, of=("self",)).get(pk=publication.pk)
    counts = gate.reach(purpose=publication.purpose, channel=publication.channel, now=now)
    PublishedPerson.objects.filter(publication=publication).delete()
    people = execute(
        "INSERT INTO mailings_publishedperson (publication_id, customer_id)"
        " SELECT %s, customer_id FROM gate_reach WHERE outcome = 'accepted' ORDER BY customer_id",
        [publication.pk],
    )
    file_name, error = _write_file(publication, local_date(now)) if publication.has_file else ("", "")
    run, _made = PublicationRun.objects.update_or_create(
        publication=publication,
        day=local_date(now),
        defaults={
            "started_at": now, "finished_at": now, "counts": counts, "people_count": people, "file_name": file_name,
            "error": error[:200], "webhook": "waiting" if publication.webhook_url else "", "webhook_tries": 0,
            "webhook_reply": "", "webhook_next_at": now,
        },
    )  # fmt: skip
    publication.runs.filter(day__lt=local_date(now) - dt.timedelta(days=KEPT_RUNS_DAYS)).delete()
    return run


def path_of(file_name: str) -> Path:
    """Return where a file of a publication lies."""
    return Path(settings.PUBLICATION_FOLDER) / file_name


def _write_file(publication: Publication, day: dt.date) -> tuple[str, str]:
    """Write the list beside its place and move it there, so that nobody reads half a file; return name and error."""
    name = publication.file_name(day)
    path = path_of(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as file, connection.cursor() as cursor:
            cursor.copy_expert(publishing.file_sql(publication.pk, publication.columns), file)
        unfinished.chmod(0o640)
        unfinished.replace(path)
        # its folder bears its name; those of earlier names count too
        own = Path(settings.PUBLICATION_FOLDER).glob(f"{publication.pk}-*/*.csv")
        for old in sorted(own, key=lambda one: one.name)[:-KEPT_FILES]:
            old.unlink()
    except OSError as error:
        return "", str(error.strerror or error)
    return name, ""


def send_webhooks(*, now: dt.datetime) -> int:
    """Tell other systems that a list is ready, and try again what failed; return how many were delivered.

    At least once, with the same ``webhook-id`` each time; the message holds counts and an address, nobody's data.
    """
    waiting = PublicationRun.objects.filter(webhook=PublicationRun.Webhook.WAITING, webhook_next_at__lte=now)
    return sum(_send_webhook(pk, now) for pk in list(waiting.values_list("pk", flat=True)[:50]))


@transaction.atomic
def _send_webhook(pk: int, now: dt.datetime) -> bool:
    waiting = PublicationRun.objects.select_for_update(skip_locked=True, of=("self",)).select_related("publication")
    run = waiting.filter(pk=pk, webhook=PublicationRun.Webhook.WAITING).first()
    if run is None:
        return False
    publication = run.publication
    body = json.dumps(_announcement(run)).encode()
    try:
        run.webhook_reply = post_webhook(
            publication.webhook_url, body, secret=publication.webhook_secret, webhook_id=f"publication-{run.pk}",
            now=now,
        )  # fmt: skip
        run.webhook = PublicationRun.Webhook.DELIVERED
    except DeliveryFailed as failed:
        run.webhook_tries += 1
        run.webhook_reply = str(failed)[:200]
        if failed.permanent or run.webhook_tries >= MOST_TRIES:
            run.webhook = PublicationRun.Webhook.FAILED
        else:
            run.webhook_next_at = now + dt.timedelta(minutes=_WAIT[run.webhook_tries - 1])
    run.save()
    return run.webhook == PublicationRun.Webhook.DELIVERED


def _announcement(run: PublicationRun) -> dict[str, Any]:
    publication = run.publication
    return {
        "type": "publication.ready",
        "timestamp": run.finished_at.isoformat() if run.finished_at else "",
        "data": {
            "publication": publication.pk,
            "name": publication.name,
            "purpose": publication.purpose.code,
            "channel": publication.channel,
            "day": run.day.isoformat(),
            "people": run.people_count,
            "url": f"{settings.BASE_URL}/api/v1/publications/{publication.pk}/people/",
        },
    }


def forget_in_files(texts: Sequence[str]) -> int:
    """Take the lines with one of these numbers or addresses out of all files; return how many."""
    folder, gone = Path(settings.PUBLICATION_FOLDER), 0
    for path in folder.glob("*/*.csv") if texts else ():
        unfinished = path.with_suffix(".part")
        with path.open(encoding="utf-8", newline="") as old, unfinished.open("w", encoding="utf-8", newline="") as new:
            for line in csv.reader(old, delimiter=";"):
                if set(texts) & {cell.lower() for cell in line} or set(texts) & set(line):
                    gone += 1
                else:
                    csv.writer(new, delimiter=";", lineterminator="\n").writerow(line)
        unfinished.chmod(0o640)
        unfinished.replace(path)
    return gone
