"""Migrations that renew fewer classes lead where Django's own do."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from psycopg2.sql import SQL, Identifier

from common.migrating import own_classes_only
from tests.tries import TREES

#: All that a migration can make, by name.
CATALOGUE = """
SELECT 'column', table_name || '.' || column_name, concat_ws(' ', data_type, udt_name, character_maximum_length,
       is_nullable, column_default, is_identity, is_generated, generation_expression)
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
           WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger
           WHERE NOT tgisinternal
UNION ALL SELECT 'function', oid::regprocedure::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'statistics', stxname, pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
UNION ALL SELECT 'comment', objoid::regclass::text || objsubid, description FROM pg_description
           WHERE classoid = 'pg_class'::regclass AND objoid > 16383
ORDER BY 1, 2, 3
"""
PLAIN = """
import django; django.setup()
from django.core.management import call_command
from django.core.management.commands.migrate import Command
call_command(Command(), verbosity=0, interactive=False)
"""


def made_by(*command: str) -> list[tuple[str, str, str]]:
    """Return what this command makes of an empty database."""
    at = connection.settings_dict
    known = {"user": at["USER"], "password": at["PASSWORD"], "host": at["HOST"], "port": at["PORT"] or 5432}
    name = "wise_migrated"
    with closing(psycopg2.connect(dbname="postgres", **known)) as server:
        server.autocommit = True
        server.cursor().execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name)))
        server.cursor().execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        url = f"postgresql://{at['USER']}:{at['PASSWORD']}@/{name}?host={at['HOST']}&port={at['PORT'] or 5432}"
        changed = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "wise_marketing.settings", "WISE_EMBEDDED": "1"}
        try:
            subprocess.run([sys.executable, *command], env={**os.environ, **changed}, check=True)
            with closing(psycopg2.connect(dbname=name, **known)) as made, made.cursor() as cursor:
                cursor.execute(CATALOGUE)
                found: list[tuple[str, str, str]] = cursor.fetchall()
                cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                for (table,) in sorted(cursor.fetchall()):
                    cursor.execute(SQL("SELECT count(*) FROM {}").format(Identifier(table)))
                    found.append(("rows", table, str(cursor.fetchall()[0][0])))
                return found
        finally:
            server.cursor().execute(SQL("DROP DATABASE {}").format(Identifier(name)))


@pytest.mark.skipif(TREES <= 200, reason="takes a minute: make test-long")
@pytest.mark.django_db
def test_a_new_database_is_the_one_that_django_makes() -> None:
    quick, plain = made_by("manage.py", "migrate", "--verbosity=0"), made_by("-c", PLAIN)
    assert len(plain) > 3000
    assert quick == plain


def test_what_a_migration_runs_sees_all_that_was_added_on_both_sides() -> None:
    key = models.AutoField(primary_key=True)
    with own_classes_only():
        state = ProjectState()
        for operation in [
            migrations.CreateModel("Shelf", [("id", key)]),
            migrations.CreateModel("Book", [("id", key)]),
            migrations.CreateModel("Loan", [("id", key), ("book", models.ForeignKey("lib.Book", models.CASCADE))]),
        ]:
            operation.state_forwards("lib", state)
        state.apps  # noqa: B018 - from here on there are classes to renew
        migrations.AddField("Book", "shelf", models.ForeignKey("lib.Shelf", models.CASCADE)).state_forwards(
            "lib", state
        )
        assert state.apps.get_model("lib", "Book")._meta.get_field("shelf").related_model._meta.model_name == "shelf"
        state.clear_delayed_apps_cache()  # as RunPython does
        assert {one.name for one in state.apps.get_model("lib", "Shelf")._meta.related_objects} == {"book"}
        book = state.apps.get_model("lib", "Loan")._meta.get_field("book").related_model
        assert book is state.apps.get_model("lib", "Book")


def test_django_is_as_it_was_afterwards() -> None:
    def now() -> tuple[object, ...]:
        return ProjectState._find_reload_model, ProjectState.add_model, ProjectState.add_field  # type: ignore[attr-defined]

    before = now()
    with own_classes_only():
        assert now() != before
    assert now() == before
