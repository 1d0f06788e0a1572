"""The tests' database: made once for all processes, and after a test with real transactions as it was before.

Django would empty every table after such a test and make all permissions anew, which takes longer than most tests do,
and would leave an organisation without its base data to whichever test comes next. Needs a superuser.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from functools import cache

import django
import psycopg2
from django.db import connection, transaction
from django.test import TransactionTestCase
from psycopg2 import extensions
from psycopg2.sql import SQL, Identifier, Literal

from common.sql import execute, rows

TEMPLATE = "wise_tests_template"
MANY = 1000  # rows: a table that loses so many is swept, or whoever reads it next walks past them

_LOCK = "SELECT pg_advisory_lock(hashtext(%s))"
_MADE_BY = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
 WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
"""
_FILLED = "SELECT '{table}' AS name WHERE EXISTS (SELECT FROM {table})"
_DIFFERS = """
SELECT '{table}' AS name WHERE (SELECT count(*) FROM {table}) <> (SELECT count(*) FROM kept.{table})
    OR EXISTS (TABLE {table} EXCEPT TABLE kept.{table})
"""


class Maker:
    """Makes the template in a process of its own, while those that will copy it are still collecting their tests.

    When it fails, the first that finds nothing to copy makes it.
    """

    def __init__(self, run: str, *, leave: bool) -> None:
        self.leave = leave
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.database"],
            env={**os.environ, "PYTEST_XDIST_TESTRUNUID": run, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        )

    def end(self) -> None:
        """Leave nothing on a server that stays."""
        self.process.terminate()
        self.process.wait()
        if not self.leave:
            with closing(psycopg2.connect(**connection.get_connection_params())) as server:
                server.autocommit = True
                server.cursor().execute(f"DROP DATABASE IF EXISTS {TEMPLATE}")


class Template:
    """What the first process made of the migrations, for the others of the same run to copy; they wait for it."""

    def __init__(self) -> None:
        self.run = os.environ.get("PYTEST_XDIST_TESTRUNUID", "")
        self.server: extensions.connection | None = None
        self.is_made = False

    def expect(self) -> None:
        """Take the turn, and tell Django to copy what is there already."""
        if not self.run:
            return
        self.server = psycopg2.connect(**connection.get_connection_params())
        self.server.autocommit = True
        with self.server.cursor() as cursor:
            cursor.execute(_LOCK, [TEMPLATE])
            cursor.execute(_MADE_BY, [TEMPLATE])
            self.is_made = cursor.fetchone() == (self.run,)
        if self.is_made:
            connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE

    def make(self) -> None:
        """Make it from the migrations, here and now, unless somebody did."""
        self.expect()
        if self.server is not None and not self.is_made:
            connection.settings_dict["TEST"]["NAME"] = TEMPLATE
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
            connection.close()
            self._sign()
            self.server.close()

    def keep(self) -> None:
        """Keep this database as the template when it is the first, and let the next process begin."""
        if self.server is None:
            return
        if not self.is_made:
            connection.close()
            own, template = Identifier(str(connection.settings_dict["NAME"])), Identifier(TEMPLATE)
            with self.server.cursor() as cursor:
                cursor.execute(SQL("DROP DATABASE IF EXISTS {}").format(template))
                cursor.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(template, own))
            self._sign()
        self.server.close()

    def _sign(self) -> None:
        assert self.server is not None
        with self.server.cursor() as cursor:
            cursor.execute(SQL("COMMENT ON DATABASE {} IS {}").format(Identifier(TEMPLATE), Literal(self.run)))


def keep_rows() -> None:
    """Put the rows that are there now aside, and go back to them after every test with real transactions."""
    with transaction.atomic():
        execute("DROP SCHEMA IF EXISTS kept CASCADE")
        execute("CREATE SCHEMA kept")
        for name in _named(_FILLED, tables()):
            execute(f"CREATE TABLE kept.{name} AS TABLE {name}")
    kept.cache_clear()
    TransactionTestCase._fixture_teardown = lambda _case: put_back()  # type: ignore[attr-defined]


def put_back() -> None:
    """Empty the tables that a test wrote in, and give those that were not empty their rows back.

    Whoever may still be writing, as a process that was just killed, is waited for.
    """
    with transaction.atomic():
        execute(f"LOCK TABLE {', '.join(tables())} IN SHARE ROW EXCLUSIVE MODE")
        changed = _named(_DIFFERS, kept()) + _named(_FILLED, [name for name in tables() if name not in kept()])
        execute("SET LOCAL session_replication_role = replica")  # no triggers, and no order of foreign keys
        swept = [name for name in changed if execute(f"DELETE FROM {name}") > MANY]  # noqa: S608
        for name in changed:
            if columns := kept().get(name):
                execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM kept.{name}")  # noqa: S608
    if swept:
        execute(f"VACUUM {', '.join(swept)}")


@cache
def tables() -> tuple[str, ...]:
    return tuple(connection.introspection.django_table_names(only_existing=True, include_views=False))


@cache
def kept() -> dict[str, str]:
    """Return the tables whose rows are kept, and their columns that can be written."""
    found = rows("SELECT tablename FROM pg_tables WHERE schemaname = 'kept'")
    return {row["tablename"]: rows(_COLUMNS, [row["tablename"]])[0]["columns"] for row in found}


def _named(statement: str, names: object) -> list[str]:
    parts = " UNION ALL ".join(statement.format(table=name) for name in names)  # type: ignore[attr-defined]
    return [row["name"] for row in rows(parts)]


if __name__ == "__main__":
    django.setup()
    Template().make()
