"""Where a pair of servers lives, and how it is called."""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
DATABASE = "wise"
# PostgreSQL refuses to run as root, so root lends it to the account every Unix has for this ...
UNPRIVILEGED = "nobody"
# ... and this folder holds what that account cannot reach where it is.
ROOT_HOME = Path("/var/lib/wise-marketing")
SOCKETS = Path("/tmp")  # noqa: S108  # nosec B108  a folder of our own inside it, whose owner is checked


class EmbeddedError(Exception):
    """A server cannot run here; the message says why in one line."""


@dataclass(frozen=True)
class Place:
    """One pair of servers; everything follows from the state folder."""

    state: Path
    temporary: bool = False

    @property
    def sockets(self) -> Path:
        """Short, since a socket's path may have 107 characters at most."""
        return SOCKETS / f"wise-{short_hash(self.state)}"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://{DATABASE}@/{DATABASE}?host={self.sockets}"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.valkey_socket}?db=0"

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data; elsewhere when the account it runs under cannot get into the state folder."""
        parents = self.state.resolve().parents
        if server_account() is None or all(folder.stat().st_mode & stat.S_IXOTH for folder in parents):
            return self.state / "postgresql"
        return ROOT_HOME / f"postgresql-{short_hash(self.state)}"


def short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]


def state_dir() -> Path:
    """The folder that holds everything a local installation remembers."""
    return Path(os.environ.get("WISE_STATE_DIR") or PROJECT / ".state").resolve()


def is_given(name: str) -> bool:
    """Say whether the environment already names this server."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def server_account() -> pwd.struct_passwd | None:
    """The account PostgreSQL runs under, when that is not simply ours."""
    return pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None


def make_folders(place: Place) -> None:
    """Create the folders. The sockets' lies in /tmp, so one that somebody else made there is refused."""
    place.state.mkdir(parents=True, exist_ok=True)
    place.sockets.mkdir(mode=0o700, exist_ok=True)
    account = server_account()
    ours = {os.geteuid(), account.pw_uid if account else os.geteuid()}
    if place.sockets.is_symlink() or place.sockets.lstat().st_uid not in ours:
        raise EmbeddedError(
            f"{place.sockets} belongs to somebody else: remove it, or set WISE_STATE_DIR to another folder"
        )
    place.sockets.chmod(0o700)
    if account:
        os.chown(place.sockets, account.pw_uid, account.pw_gid)
