"""Run one file of benchmarks/ and print what it measured."""

from __future__ import annotations

import importlib
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """`bench NAME [--n SIZE]` calls `benchmarks.NAME.run(n)`, which returns names (with unit) and figures."""

    help = "Run a benchmark; the last line is one JSON object."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a name and a size; without a size the benchmark's own default counts."""
        parser.add_argument("name", help=f"one of: {', '.join(names())}")
        parser.add_argument("--n", type=int, default=None, help="size, for most: the number of customers")

    def handle(self, *args: Any, name: str, n: int | None, **options: Any) -> None:
        """Migrate an empty database, run, print a table and the JSON line."""
        if name not in names():
            raise CommandError(f"there is no benchmark '{name}'; there are: {', '.join(names())}")
        call_command("migrate", verbosity=0)
        run = importlib.import_module(f"benchmarks.{name}").run
        figures: dict[str, Any] = run() if n is None else run(n)
        width = max(map(len, figures))
        for label, figure in figures.items():
            self.stdout.write(
                f"{label:<{width}}  {figure:>14,.3f}"
                if isinstance(figure, float)
                else f"{label:<{width}}  {figure!s:>14}"
            )
        self.stdout.write(json.dumps({"benchmark": name, **figures}, default=str))


def names() -> list[str]:
    """Return the benchmarks there are."""
    folder = Path(settings.BASE_DIR) / "benchmarks"
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
