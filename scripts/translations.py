"""Keep locale/nl complete: `compile` it, `collect` the code's texts into it, or `check` that none is missing.

Compiling needs Babel alone; the other two extract with Django and therefore need gettext.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

PROJECT = Path(__file__).resolve().parent.parent
SOURCE = PROJECT / "locale/nl/LC_MESSAGES/django.po"
# Texts live in the apps and the templates; these hold none, or none of ours.
WITHOUT_TEXTS = {
    ".venv",
    ".state",
    ".git",
    "locale",
    "static",
    "tests",
    "benchmarks",
    "docs",
    "scripts",
    "node_modules",
}


def main(arguments: list[str]) -> int:
    """Dispatch; return an exit code."""
    match arguments:
        case ["compile"]:
            return compile_catalog()
        case ["collect"]:
            return collect()
        case ["check"]:
            return check()
    print("usage: translations.py compile | collect | check", file=sys.stderr)
    return 2


def compile_catalog() -> int:
    """Write django.mo beside django.po."""
    with tempfile.NamedTemporaryFile("wb", dir=SOURCE.parent, delete=False) as output:
        write_mo(output, load(SOURCE))
    Path(output.name).chmod(0o644)
    Path(output.name).replace(SOURCE.with_suffix(".mo"))
    return 0


def collect() -> int:
    """Rewrite django.po: drop what is double or unused, add what is new in the code, list what lacks Dutch."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "locale/nl/LC_MESSAGES/django.po"
        copy_sources(Path(folder))
        run(["msguniq", "--use-first", "--to-code=UTF-8", "-o", str(place), str(SOURCE)], Path(folder))
        extract(Path(folder))
        shutil.copy(place, SOURCE)
    compile_catalog()
    lacking = [message for message in load(SOURCE) if message.id and is_lacking(message)]
    for message in lacking:
        print(f"no Dutch yet: {first_id(message)}")
    print(f"{len(load(SOURCE))} texts, {len(lacking)} without Dutch")
    return 0


def check() -> int:
    """Say which texts are fuzzy, empty, or used in the code but absent; return 1 when there are any."""
    ours = load(SOURCE)
    faults = [f"fuzzy or empty: {first_id(message)}" for message in ours if message.id and is_lacking(message)]
    with tempfile.TemporaryDirectory() as folder:
        copy_sources(Path(folder))
        extract(Path(folder))
        used = load(Path(folder) / "locale/nl/LC_MESSAGES/django.po")
    known = {(first_id(message), message.context) for message in ours}
    faults += [
        f"not translated: {first_id(message)}   ({message.locations[0][0] if message.locations else '?'})"
        for message in used
        if message.id and (first_id(message), message.context) not in known
    ]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} texts lack a Dutch translation: run 'make translations' and fill them in")
    return bool(faults)


def load(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="nl")


def first_id(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def is_lacking(message: Message) -> bool:
    texts = [message.string] if isinstance(message.string, str) else message.string
    return message.fuzzy or not texts or not all(texts)


def copy_sources(folder: Path) -> None:
    """Copy what may hold texts, so that extracting leaves the tree itself alone."""
    for path in PROJECT.rglob("*"):
        relative = path.relative_to(PROJECT)
        if (
            relative.parts[0] not in WITHOUT_TEXTS
            and path.suffix in {".py", ".html", ".txt", ".mjml"}
            and path.is_file()
        ):
            (folder / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / relative)
    (folder / "locale/nl/LC_MESSAGES").mkdir(parents=True)


def extract(folder: Path) -> None:
    """Run makemessages there."""
    ensure_gettext()
    run(
        [
            sys.executable, "-m", "django", "makemessages", "--locale", "nl", "--no-obsolete",
            "--add-location", "file", "--extension", "py,html,txt,mjml", "--verbosity", "0",
        ],
        folder,
    )  # fmt: skip


def ensure_gettext() -> None:
    """Install gettext when this is a Debian and we may; else say how."""
    if shutil.which("xgettext"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in ("update -q", "install -y -q --no-install-recommends gettext"):
            subprocess.run(
                ["apt-get", *command.split()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                check=False,
            )
    if not shutil.which("xgettext"):
        sys.exit("gettext is missing; please run: sudo apt-get install gettext (macOS: brew install gettext)")


def run(command: list[str], folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {(done.stderr or done.stdout).strip()}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
