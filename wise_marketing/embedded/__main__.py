"""The command line of the embedded servers; the package's docstring shows it."""

from __future__ import annotations

import sys

from wise_marketing.embedded import postgres, servers, valkey
from wise_marketing.embedded.place import EmbeddedError, Place, state_dir

USAGE = "usage: python -m wise_marketing.embedded up | down | status | run [--temp] -- COMMAND ..."


def show(place: Place) -> None:
    """Print a line per server."""
    for name, is_up, url in (
        ("PostgreSQL", postgres.is_up(place), place.database_url),
        ("Valkey", valkey.is_up(place), place.redis_url),
    ):
        print(f"{name:<10}  {'up' if is_up else 'down':<4}  {url}")


def main(arguments: list[str]) -> int:
    """Dispatch the sub-commands; return an exit code."""
    place = Place(state_dir())
    match arguments:
        case ["up"]:
            servers.start(place, tied=False)
            show(place)
        case ["down"]:
            servers.stop(place, [valkey.stop, postgres.stop])
        case ["status"]:
            show(place)
        case ["run", "--temp", "--", *command] if command:
            return servers.run(command, temporary=True)
        case ["run", "--", *command] if command:
            return servers.run(command, temporary=False)
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EmbeddedError as error:
        print(f"embedded servers: {error}", file=sys.stderr)
        sys.exit(1)
