"""Privacy: hashes of what was erased."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from common.sql import rows
from customers.models import ErasedKey
from customers.privacy import keys

SAMPLES = [
    ("email", "a@b.nl"),
    ("phone", "+31612345678"),
    ("number", "T-00123"),
    ("home", "1441AB|12|a|de boer|anna"),
    ("email", "ünïcode+%s'\"\\@ex-ample.nl"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("what", "value"), SAMPLES)
def test_the_database_makes_the_same_digest(what: str, value: str) -> None:
    statement = "SELECT customers_erased_digest(%s, %s, %s) AS digest"
    assert bytes(rows(statement, [keys.key(), what, value])[0]["digest"]) == keys.digest(what, value)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "parts",
    [
        ("1441AB", "12", "A", "Zoë", "De Bóer"),
        ("1441AB", "12a", "", "Z.", "Łukasz"),
        ("", "12", "", "Zoë", "Boer"),
        ("1441AB", "12", "", "", "Boer"),
        ("1441AB", "12", "", "Zoë", ""),
    ],
)
def test_the_database_writes_a_home_the_same_way(parts: tuple[str, ...]) -> None:
    names = ("postal_code", "house_number", "addition", "first_name", "last_name")
    found = rows("SELECT customers_erased_home(%s, %s, %s, %s, %s) AS home", parts)[0]["home"]
    assert found == keys.home(**dict(zip(names, parts, strict=True)))


def test_a_digest_tells_kinds_apart_and_depends_on_the_key() -> None:
    before = keys.digest("email", "a@b.nl")
    assert before != keys.digest("number", "a@b.nl")
    assert before != keys.digest("email", "a@b.nm")
    assert len(before) == 32


def test_another_key_gives_another_digest(settings: pytest.FixtureRequest) -> None:
    before = keys.digest("email", "a@b.nl")
    settings.PRIVACY_KEY = "x" * 40  # type: ignore[attr-defined]
    assert keys.digest("email", "a@b.nl") != before


@pytest.mark.django_db
def test_what_is_remembered_is_erased_until_it_is_released(now: dt.datetime) -> None:
    pairs = [("email", "a@b.nl"), ("phone", ""), ("email", "a@b.nl")]
    assert keys.remember(pairs, now=now) == 1
    assert keys.remember(pairs, now=now) == 0
    assert keys.is_erased("email", "a@b.nl")
    assert not keys.is_erased("number", "a@b.nl")
    assert not keys.is_erased("phone", "")
    assert keys.release([("email", "a@b.nl"), ("phone", "")], now=now) == 1
    assert not ErasedKey.objects.exists()


def test_the_key_may_come_from_a_file_and_may_not_be_short(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("s" * 40 + "\n")
    command = [sys.executable, "-c", "from wise_marketing import settings; print(settings.PRIVACY_KEY)"]

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        known = {**os.environ, "WISE_EMBEDDED": "1", **environment}
        return subprocess.run(command, env=known, capture_output=True, check=False, text=True, cwd=settings.BASE_DIR)

    assert run(PRIVACY_KEY_FILE=str(path)).stdout.strip() == "s" * 40
    assert "PRIVACY_KEY must have" in run(PRIVACY_KEY="short").stderr
    assert run().stdout.strip() == run(SECRET_KEY="another-secret-of-more-than-thirty-two").stdout.strip()
