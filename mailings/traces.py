"""What mailings leave behind of persons outside their tables: printed letters; and what cannot be broken off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _

from common.sql import execute, rows
from common.traces import Persons, Trace, traces
from mailings.actions.publications import forget_in_files
from mailings.actions.texts import forget_in_texts
from mailings.models import Message

#: A file of letters this young may not have been printed yet; others would lose theirs with it.
PRINTING_DAYS = 3

_BATCHES = """
batch.file <> '' AND EXISTS (
    SELECT FROM mailings_printedletter AS printed JOIN mailings_message AS message ON message.id = printed.message_id
    WHERE printed.batch_id = batch.id AND message.customer_id = ANY(%(ids)s)
)
"""


def _letter_files(persons: Persons) -> Collection[str]:
    found = rows(f"SELECT file FROM mailings_letterbatch AS batch WHERE {_BATCHES}", _ids(persons.ids))  # noqa: S608
    return [row["file"] for row in found]


def _forget_letters(persons: Persons) -> int:
    """Let go of the files of letters in which they have one; how many letters it held stays known."""
    return execute(f"UPDATE mailings_letterbatch AS batch SET file = '' WHERE {_BATCHES}", _ids(persons.ids))  # noqa: S608


def _being_sent(ids: Collection[int], now: dt.datetime) -> Collection[int]:
    under_way = Message.objects.filter(customer_id__in=ids, state=Message.State.SENDING)
    return list(under_way.values_list("customer_id", flat=True))


def _being_printed(ids: Collection[int], now: dt.datetime) -> Collection[int]:
    found = rows(
        """
        SELECT DISTINCT message.customer_id FROM mailings_letterbatch AS batch
        JOIN mailings_printedletter AS printed ON printed.batch_id = batch.id
        JOIN mailings_message AS message ON message.id = printed.message_id
        WHERE message.customer_id = ANY(%(ids)s) AND batch.file <> '' AND batch.created_at > %(since)s
        """,
        _ids(ids) | {"since": now - dt.timedelta(days=PRINTING_DAYS)},
    )
    return [row["customer_id"] for row in found]


def _forget_texts(persons: Persons) -> int:
    own = Message.objects.filter(customer_id__in=persons.ids, channel=Message.Channel.SMS)
    return forget_in_texts(persons.phones, message_ids=list(own.values_list("pk", flat=True)))


def _ids(ids: Collection[int]) -> dict[str, Any]:
    return {"ids": list(ids)}


def _nothing(persons: Persons) -> int:
    return 0  # the table of messages does it


traces.register(
    Trace(
        "message_under_way",
        _("Messages being sent"),
        _nothing,
        blocked=_being_sent,
        remedy=_("A message to this customer is being sent at this moment. Try again in a few minutes."),
    )
)
traces.register(
    Trace(
        "letters",
        _("Files with letters"),
        _forget_letters,
        files=_letter_files,
        blocked=_being_printed,
        remedy=_(
            "A letter to this customer was printed in the last three days, in one file with those to others. "
            "Wait until it has been posted; after three days the file may go."
        ),
    )
)
traces.register(Trace("texts", _("Files with text messages"), _forget_texts))
traces.register(
    Trace("publications", _("Files for other mail tools"), remove=lambda persons: forget_in_files(persons.texts))
)
