import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

ROOT = Path(__file__).parents[2]


def shown(path: str) -> str:
    logger = runpy.run_path(str(ROOT / "gunicorn.conf.py"))["DiscreetLogger"](Config())
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": "GET",
        "RAW_URI": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    response = SimpleNamespace(status="200 OK", sent=1, headers=[], response_length=1)
    request = SimpleNamespace(headers=[])
    duration = SimpleNamespace(seconds=0, microseconds=0)
    return str(logger.atoms(response, request, environ, duration)["U"])


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/customers/12/", "/customers/12/"),
        ("/m/u/" + "a" * 40, "/m/u/..."),
        ("/api/v1/vouchers/E8KB84NQDKZ0/redeem/", "/api/v1/vouchers/.../redeem/"),
        ("/api/v1/customers/1000123/consents/", "/api/v1/customers/.../consents/"),
        ("/vouchers/codes/", "/vouchers/codes/"),
        ("/s/4c92kDfG3aB", "/s/..."),
        ("/m/sms/geheim-van-20-tekens/", "/m/sms/.../"),
    ],
)
def test_the_access_log_leaves_out_what_opens_something(path: str, logged: str) -> None:
    assert shown(path) == logged


def test_a_path_cannot_write_a_line_of_its_own() -> None:
    assert shown("/x\n[23/Nov/2026] POST /nep\r\0") == r"/x\n[23/Nov/2026] POST /nep\r\x00"
