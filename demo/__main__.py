"""Tells the story of the product with a demo library, and then serves it.

    python -m demo [--customers N] [--port N] [--exit] [--keep]

or CUSTOMERS=N, PORT=N, EXIT=1, KEEP=1 in the environment. Each start begins with an empty database; --keep goes
on with what the last one left and only serves. Nothing is left running, however it ends.
"""

import argparse
import logging
import os
import signal
import sys
from types import FrameType

from wise_marketing.embedded import EmbeddedError, servers

from .console import Console
from .ports import LOCAL, free_port, is_free

DEFAULT_CUSTOMERS = 5000
DEFAULT_PORT = 8000
DEFAULT_SMTP_PORT = 2525
DEFAULT_BOUNCE_PORT = 2526
SENDER = "Bibliotheek Waterland <bibliotheek@example.nl>"
RETURNS = "retour@example.nl"
YES = {"1", "yes", "true", "on"}


class Interrupted(BaseException):
    """Somebody wants the demo to stop; not an error."""


def is_on(name: str) -> bool:
    """Read a switch from the environment."""
    return os.environ.get(name, "").strip().lower() in YES


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return customers, port and exit; what the command line leaves out comes from the environment."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The story with a demo library.")
    given = os.environ.get
    parser.add_argument("--customers", type=int, default=given("CUSTOMERS") or DEFAULT_CUSTOMERS, metavar="N")
    parser.add_argument("--port", type=int, default=given("PORT") or DEFAULT_PORT, metavar="N")
    parser.add_argument("--exit", action="store_true", default=is_on("EXIT"), help="stop after the story")
    parser.add_argument("--keep", action="store_true", default=is_on("KEEP"), help="keep the data of last time")
    chosen = parser.parse_args(arguments)
    if not 50 <= chosen.customers <= 2_000_000:
        parser.error("customers must be between 50 and 2,000,000")
    if not 1 <= chosen.port <= 65535:
        parser.error("port must be between 1 and 65535")
    return chosen


def settle_environment(port: int) -> None:
    """Say to this process and its children what the demo's settings are."""
    smtp_port = free_port(DEFAULT_SMTP_PORT)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="wise_marketing.settings",
        DEMO="1",
        BASE_URL=f"http://localhost:{port}",
        EMAIL_URL=f"smtp://127.0.0.1:{smtp_port}",
        FROM_EMAIL=SENDER,
        BOUNCE_ADDRESS=RETURNS,
        BOUNCE_SMTP=f"{LOCAL}:{free_port(DEFAULT_BOUNCE_PORT)}",
        DEMO_SMTP_PORT=str(smtp_port),
        PYTHONUNBUFFERED="1",
    )


def stop_when_asked() -> None:
    """Turn the signals that ask to stop into one exception, which unwinds everything in order."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(again, signal.SIG_IGN)
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def main(arguments: list[str]) -> int:
    """Run the demo; return the exit code."""
    chosen = read_arguments(arguments)
    if not is_free(chosen.port):
        print(f"port {chosen.port} is taken: choose another one, as in make demo PORT=8080", file=sys.stderr)
        return 1
    if not os.environ.get("WISE_EMBEDDED"):
        try:
            return servers.run([sys.executable, "-m", "demo", *arguments], temporary=False)
        except EmbeddedError as error:
            print(f"embedded servers: {error}", file=sys.stderr)
            return 1
    settle_environment(chosen.port)
    stop_when_asked()
    import django

    django.setup()
    # The processes write logs of their own; this one speaks to people.
    logging.getLogger().setLevel(logging.WARNING)
    from .story import Demo, StoryFailed  # needs Django to be set up

    demo = Demo(Console(), customers=chosen.customers, port=chosen.port, keep=chosen.keep)
    try:
        demo.run(then_serve=not chosen.exit)
    except Interrupted:
        print("\nStopped.", flush=True)
        return 0 if demo.is_told else 130
    except StoryFailed as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
