"""manage.py verify_consents: exit 0 when the ledger of consents is whole, 1 when it is not."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from common.time import clock
from customers.actions.ledger import MOST_NAMED, check_ledger
from customers.models import Consent

WORDS = {
    "gap": "the place before it in its chain is empty: a row was removed",
    "changed": "its words do not fit its hash: it was changed",
    "moved": "it stands with a customer who did not say it, and no merge explains it",
}


class Command(BaseCommand):
    help = "Check the whole ledger of consents and name the rows that were tampered with, and whose they are by number."

    def handle(self, *args: Any, **options: Any) -> None:
        check = check_ledger(now=clock())
        numbers = dict(Consent.objects.filter(pk__in=dict(check.broken)).values_list("pk", "customer__number"))
        for row_id, problem in check.broken:
            self.stdout.write(f"row {row_id} of customer {numbers.get(row_id, '?')}: {WORDS[problem]}")
        if check.broken_count > MOST_NAMED:
            self.stdout.write(f"... and {check.broken_count - MOST_NAMED} more")
        if check.missing_count:
            self.stdout.write(f"{check.missing_count} rows of the check before are gone, and no erasure took them")
        self.stdout.write(f"{check.row_count} rows, {check.broken_count} broken, {check.missing_count} missing")
        if not check.is_whole:
            sys.exit(1)
