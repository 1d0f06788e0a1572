"""manage.py harden_database ROLE [--create]: let the web processes do what they do, and nothing to the ledger but add.

The role may then read and change rows of every table, except that of the ledger of consents it may only read and add:
it cannot delete, truncate, rewrite what was said, switch off the triggers, or change what the ledger is checked by.
Merging moves rows, which the trigger looks at; erasing (AVG 17) goes through the function customers_consent_erase,
which asks for a receipt. The owner of the tables migrates, and is the role of workers and scheduler.

Run it as the owner after each migrate: new tables are given to the role by it. ``--create`` makes the role, or gives it
the password of the setting WEB_DATABASE_PASSWORD.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

LEDGER = "customers_consent"
#: What belongs to the proof: the words people answered and the grounds that held (added to, never changed), what the
#: checks found (only read), and the receipts of erasures (never taken away).
PROOF = {
    "customers_wordingevent": "SELECT, INSERT",
    "customers_purposechannelevent": "SELECT, INSERT",
    "customers_purposeevent": "SELECT, INSERT",
    "customers_ledgercheck": "SELECT",
    "customers_erasure": "SELECT, INSERT, UPDATE (counts)",
    LEDGER: "SELECT, INSERT, UPDATE (customer_id)",
}


class Command(BaseCommand):
    help = "Let a role use the product, and read and add consents and no more. Run it as the owner of the tables."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="the database role of the web processes")
        parser.add_argument("--create", action="store_true", help="make it, with WEB_DATABASE_PASSWORD as its password")

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"]
        with transaction.atomic(), connection.cursor() as cursor:
            if options["create"]:
                self.create(cursor, role)
            self.refuse_owner(cursor, role)
            for statement in self.statements(role):
                cursor.execute(statement)
        self.stdout.write(f"{role} may read and add consents, and nothing else to them")

    def create(self, cursor: CursorWrapper, role: str) -> None:
        if not settings.WEB_DATABASE_PASSWORD:
            raise CommandError("set WEB_DATABASE_PASSWORD to make a role")
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        verb = sql.SQL("ALTER" if cursor.fetchone() else "CREATE")
        cursor.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                verb, sql.Identifier(role), sql.Literal(settings.WEB_DATABASE_PASSWORD)
            )
        )

    def refuse_owner(self, cursor: CursorWrapper, role: str) -> None:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if found is None:
            raise CommandError(f"there is no role {role}: add --create")
        cursor.execute("SELECT pg_has_role(%s, relowner, 'MEMBER') FROM pg_class WHERE relname = %s", [role, LEDGER])
        if found[0] or cursor.fetchone()[0]:
            raise CommandError(f"{role} owns the tables or is a superuser: give the web a role of its own")

    def statements(self, role: str) -> list[sql.Composed]:
        who = sql.Identifier(role)
        given = [
            "GRANT USAGE ON SCHEMA public TO {}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}",
        ]
        apart = [
            statement
            for table, rights in PROOF.items()
            for statement in (f"REVOKE ALL ON {table} FROM PUBLIC, {{}}", f"GRANT {rights} ON {table} TO {{}}")
        ]
        return [sql.SQL(statement).format(who) for statement in (*given, *apart)]
