"""The disk of the database is full in the middle of a mailing: nothing is said to be sent that cannot be written down,
and once there is room again everything goes on.
"""

from __future__ import annotations

import ctypes
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.rig import CONNECTIONS, KILLS, rig
from wise_marketing.embedded.place import server_account

pytestmark = [
    pytest.mark.django_db,  # the database that is copied
    pytest.mark.skipif(not KILLS, reason="takes a minute: make test-faults"),
]

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
SIZE = 3_000_000  # bytes


@contextmanager
def small_disk() -> Iterator[Path]:
    """Give a folder on a disk of three megabytes that only this process and its children see."""
    libc = ctypes.CDLL(None, use_errno=True)
    with tempfile.TemporaryDirectory(prefix="wise-rig-disk-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        folder = Path(name) / "disk"
        folder.mkdir()
        if (
            libc.unshare(CLONE_NEWNS)
            or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
            or libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, f"size={SIZE},mode=0777".encode())
        ):
            pytest.skip(f"no small disk can be made here: {os.strerror(ctypes.get_errno())}")
        try:
            yield folder
        finally:
            libc.umount2(str(folder).encode(), 2)


def test_a_full_disk_is_no_reason_to_repeat_or_lose_anything(copied: dict[str, str], tmp_path: Path) -> None:
    with small_disk() as disk, rig(tmp_path, copied) as stand:
        table = disk / "table"
        table.mkdir()
        if account := server_account():
            os.chown(table, account.pw_uid, account.pw_gid)
        stand.servers.ask(f"CREATE TABLESPACE small LOCATION '{table}'")
        messages = stand.start_mailings("vol", readers=2000)["vol"]
        stand.servers.ask("ALTER TABLE mailings_message SET TABLESPACE small")
        stand.sink.seconds = 0.01
        stand.begin()
        before = stand.sink.accepted
        fill(disk)
        time.sleep(4)  # the disk is full for so long; work may go on as long as there is room in the pages
        log = (stand.servers.place.state / "postgresql.log").read_text()
        assert "No space left on device" in log
        (disk / "filler").unlink()
        stand.finish(messages)
        verdict = stand.judge(messages, doubts_allowed=len(stand.workers) * CONNECTIONS)
        print(verdict)
        assert verdict.faults == {}, verdict
        assert verdict.accepted == 2000 > before


def fill(disk: Path) -> None:
    """Write until nothing goes in any more."""
    with (disk / "filler").open("wb", buffering=0) as file:
        for size in (65_536, 4096):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
