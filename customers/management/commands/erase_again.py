"""manage.py erase_again: after a back-up was restored, erase who had been erased since it was made."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common.time import clock
from customers.actions.privacy.again import erase_again
from customers.privacy.journal import BadJournal


class Command(BaseCommand):
    help = (
        "Erase again who was erased after the back-up that was restored. Reads ERASURE_JOURNAL, or the file that is "
        "named. Exit 0 when nobody is left, 1 when somebody could not be erased yet: do what it says and run it again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("journal", nargs="?", type=Path, help="another journal than ERASURE_JOURNAL")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["journal"] or Path(settings.ERASURE_JOURNAL)
        if not path.exists():
            raise CommandError(f"There is no journal of erasures at {path}. Name the file: erase_again FILE")
        try:
            done = erase_again(path, now=clock())
        except BadJournal as error:
            raise CommandError(str(error)) from error
        for pk, why in done.kept.items():
            self.stdout.write(f"customer {pk} is still there: {why}")
        self.stdout.write(f"{done.persons} persons and {done.addresses} addresses erased again, {len(done.kept)} left")
        if done.kept:
            sys.exit(1)
