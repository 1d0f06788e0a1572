"""manage.py harden_database ROLE: take from the role of the web processes what it does not need of the ledger.

For installations where the owner of the tables (who migrates) and the role of the web processes differ. Run it as the
owner, after each migrate. The role may then read and add consents, and change nothing but whose they are (merging,
which the trigger checks); it cannot delete, truncate, switch off triggers or rewrite what was said, whatever happens in
a web process. Erasing (AVG 17) is done by the workers, which keep the owner's role or one that may delete.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from psycopg2 import sql

LEDGER = "customers_consent"
# What belongs to the proof: the words people answered, and the results of the checks.
PROOF = ("customers_wordingevent", "customers_purposechannelevent", "customers_purposeevent")


class Command(BaseCommand):
    help = "Let a role read and add consents, and no more. Run it as the owner of the tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="the database role of the web processes")

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
            found = cursor.fetchone()
            if found is None:
                raise CommandError(f"there is no role {role}")
            cursor.execute(
                "SELECT pg_has_role(%s, relowner, 'MEMBER') FROM pg_class WHERE relname = %s", [role, LEDGER]
            )
            if found[0] or cursor.fetchone()[0]:
                raise CommandError(f"{role} owns the tables or is a superuser: give the web a role of its own")
            for statement in self.statements(role):
                cursor.execute(statement)
        self.stdout.write(f"{role} may read and add consents, and nothing else")

    def statements(self, role: str) -> list[sql.Composed]:
        who, ledger = sql.Identifier(role), sql.Identifier(LEDGER)
        taken = [
            sql.SQL("REVOKE ALL ON {} FROM PUBLIC, {}").format(sql.Identifier(table), who) for table in (LEDGER, *PROOF)
        ]
        given = [sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(sql.Identifier(table), who) for table in PROOF]
        return [
            *taken,
            *given,
            sql.SQL("GRANT SELECT, INSERT, UPDATE (customer_id) ON {} TO {}").format(ledger, who),
        ]
