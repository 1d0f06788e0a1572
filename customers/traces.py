"""What customers leave behind outside their own tables: files taken in and what was shown of them, homes, logs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from urllib.parse import quote

from django.utils.functional import lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.sql import execute, rows
from common.traces import Persons, Trace, traces
from customers import dropped
from customers.actions.imports import shown_name
from customers.models import ImportRun

# Files, and the values of rows that were refused, say nothing of whose they are: to erase one person all of them go.
# When it is only a period that is over (``by_age``) they wait for their own, of FILE_DAYS.
State = ImportRun.State
UNFINISHED = (State.WAITING, State.RUNNING, State.PREVIEWED, State.UNDOING)
SHOWN_FILES = 3  # by name, of the files that stand in the way
_FINISHED = "state <> ALL(%(unfinished)s)"


def _unfinished() -> dict[str, list[str]]:
    return {"unfinished": [state.value for state in UNFINISHED]}


def _forget_refused(persons: Persons) -> int:
    """Empty the values of refused rows. They carry no number of the person, so none can be proven to be another's."""
    if persons.by_age:
        return 0
    return execute(
        f"""
        UPDATE customers_importerror AS error SET value = '' FROM customers_importrun AS run
        WHERE error.run_id = run.id AND error.value <> '' AND run.{_FINISHED}
        """,  # noqa: S608
        _unfinished(),
    )


def _import_files(persons: Persons) -> Collection[str]:
    if persons.by_age:
        return []
    found = rows(f"SELECT file FROM customers_importrun WHERE file <> '' AND {_FINISHED}", _unfinished())  # noqa: S608
    return [row["file"] for row in found]


def _forget_runs(persons: Persons) -> int:
    """Let go of the files of finished imports and of the samples that were shown before."""
    if persons.by_age:
        return 0
    return execute(
        f"""
        UPDATE customers_importrun SET file = '', preview = '{{}}'
        WHERE (file <> '' OR preview <> '{{}}') AND {_FINISHED}
        """,  # noqa: S608
        _unfinished(),
    )


def _blocked_by_import(ids: Collection[int], now: dt.datetime) -> Collection[int]:
    return ids if ImportRun.objects.filter(state__in=UNFINISHED).exists() else ()


def _remove_dropped(persons: Persons) -> int:
    return 0 if persons.by_age else dropped.remove_done()


def _blocked_by_dropped(ids: Collection[int], now: dt.datetime) -> Collection[int]:
    return ids if any(dropped.waiting()) else ()


def _name_dropped() -> str:
    """Say which files stand in the way: one that fits no delivery is never taken in, and somebody has to find it."""
    names = sorted(shown_name(name) for name in dropped.waiting())
    more = " …" if len(names) > SHOWN_FILES else ""
    return gettext(
        "In the folder of the deliveries lies a file that was not taken in: %s. It may hold this person: take it in "
        "with its delivery, or have it removed, then erase."
    ) % (", ".join(names[:SHOWN_FILES]) + more)


def _forget_homes(persons: Persons) -> int:
    """Remove the households in which nobody else lives, those that they left earlier too."""
    return execute(
        """
        DELETE FROM customers_household AS home
        WHERE NOT EXISTS (
            SELECT FROM customers_customer AS other
            WHERE other.household_id = home.id AND other.id <> ALL(%(ids)s)
        )
        """,
        {"ids": list(persons.ids)},
    )


def _forget_guardians(persons: Persons) -> int:
    """Take their numbers out of the histories of the children for whom they answered."""
    return execute(
        """
        UPDATE customers_customerchange SET fields = fields - 'guardian'
        WHERE fields ? 'guardian' AND fields -> 'guardian' ?| %(numbers)s
        """,
        {"numbers": list(persons.numbers)},
    )


def _forget_paths(persons: Persons) -> int:
    """Take addresses of pages with a number in them out of the context of histories."""
    paths = [f"%/{quote(text)}/%" for text in persons.texts] + [f"%/customers/{pk}/%" for pk in persons.ids]
    return execute(
        "UPDATE pghistory_context SET metadata = metadata - 'url' WHERE metadata->>'url' LIKE ANY(%(paths)s)",
        {"paths": paths},
    )


def _forget_sign_ins(persons: Persons) -> int:
    """Delete failed sign-ins as staff under the person's address."""
    return sum(
        execute(f"DELETE FROM {table} WHERE lower(username) = ANY(%(texts)s)", {"texts": list(persons.texts)})  # noqa: S608
        for table in ("axes_accessattempt", "axes_accesslog", "axes_accessfailurelog")
    )


for trace in (
    Trace(
        "import_values",
        _("Values of refused rows in imports"),
        _forget_refused,
        blocked=_blocked_by_import,
        remedy=_("A file is being taken in or waits for approval. Finish or cancel that import, then erase."),
    ),
    Trace("import_files", _("Files taken in"), _forget_runs, files=_import_files),
    Trace(
        "dropped_files",
        _("Files in the folders of deliveries"),
        _remove_dropped,
        blocked=_blocked_by_dropped,
        remedy=lazy(_name_dropped, str)(),
        waits=True,
    ),
    Trace("homes", _("Addresses where nobody else lives"), _forget_homes),
    Trace("guardians", _("Parents in the histories of their children"), _forget_guardians),
    Trace("paths", _("Addresses of pages in histories"), _forget_paths),
    Trace("sign_ins", _("Failed sign-ins"), _forget_sign_ins),
):
    traces.register(trace)
