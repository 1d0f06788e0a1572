"""A PostgreSQL and a Valkey of the rig's own, that may be stopped as a power cut would, and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from wise_marketing.embedded import postgres, valkey
from wise_marketing.embedded.place import Place, make_folders
from wise_marketing.embedded.processes import wait_gone

NAME = "rig"

#: Every change of a message's state, by whom, and when the statement began: what the rig knows besides the product.
HISTORY = """
CREATE SCHEMA rig;
CREATE TABLE rig.history (id bigserial PRIMARY KEY, message_id bigint, was text, becomes text, claim uuid,
    worker text, statement_at timestamptz);
CREATE INDEX ON rig.history (message_id);
CREATE INDEX ON rig.history (claim);
CREATE FUNCTION rig.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO rig.history (message_id, was, becomes, claim, worker, statement_at)
    VALUES (NEW.id, OLD.state, NEW.state, coalesce(NEW.claim, OLD.claim), current_setting('application_name'),
        statement_timestamp());
    RETURN NULL; END $$;
CREATE TRIGGER rig_note AFTER UPDATE ON mailings_message FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION rig.note();
"""


@dataclass
class Servers:
    """Both servers of one place; ``stops`` counts how often the database went down."""

    place: Place
    stops: int = 0

    @property
    def socket(self) -> Path:
        return self.place.sockets / ".s.PGSQL.5432"

    def start_database(self) -> None:
        postgres.start(self.place, tied=True)

    def stop_database(self) -> None:
        """Stop it without a goodbye: what was not committed is gone, what was is in its log."""
        pid = int((self.place.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, signal.SIGQUIT)
        wait_gone(pid)
        self.stops += 1

    def start_broker(self) -> None:
        valkey.start(self.place, tied=True)

    def stop_broker(self) -> None:
        valkey.stop(self.place)

    def connect(self) -> Any:
        """Return a connection past all proxies, each statement a transaction of its own."""
        made = psycopg2.connect(host=str(self.place.sockets), user="wise", dbname=NAME, cursor_factory=RealDictCursor)
        made.autocommit = True
        return made

    def ask(self, statement: str, *params: object) -> list[dict[str, Any]]:
        """Run one statement and return its rows."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, params or None)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()

    def copy_database(self, source: dict[str, str]) -> None:
        """Make the rig's database as the one that libpq's environment ``source`` names: tables, triggers, rows."""
        programs = postgres.find_programs()
        own = {**os.environ, "PGHOST": str(self.place.sockets), "PGUSER": "wise", "PGDATABASE": NAME}
        subprocess.run([programs / "createdb", NAME], env=own, check=True)
        dump = [programs / "pg_dump", "--no-owner", "--no-privileges", "--exclude-schema=kept"]
        with subprocess.Popen(dump, env={**os.environ, **source}, stdout=subprocess.PIPE) as writing:
            restore = [programs / "psql", "--quiet", "--set", "ON_ERROR_STOP=1", "--output", os.devnull, "-1"]
            subprocess.run(restore, env=own, stdin=writing.stdout, check=True)
        assert writing.returncode == 0
        self.ask(HISTORY)
        self.ask("ANALYZE")


@contextmanager
def servers(*, with_broker: bool = False) -> Iterator[Servers]:
    """Give servers of our own, durable as in earnest, in a folder that PostgreSQL's account may enter."""
    with tempfile.TemporaryDirectory(prefix="wise-rig-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        made = Servers(Place(Path(folder).resolve() / "state"))
        make_folders(made.place)
        made.place.state.chmod(0o711)
        try:
            made.start_database()
            if with_broker:
                made.start_broker()
            yield made
        finally:
            if with_broker:
                made.stop_broker()
            made.stop_database()
            shutil.rmtree(made.place.cluster)
            shutil.rmtree(made.place.sockets)
