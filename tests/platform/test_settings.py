import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from mailings.sms.events import Words
from wise_marketing.environment import (
    TEXT_WORDS,
    celery_broker,
    parse_base,
    parse_database,
    parse_email,
    parse_redis,
    parse_text_api,
)

PROJECT = Path(__file__).resolve().parent.parent.parent
GOOD = {
    "SECRET_KEY": "s" * 40,
    "LINK_KEY": "l" * 40,
    "BASE_URL": "https://crm.example.nl",
    "DATABASE_URL": "postgresql://wise:pw@db/wise",
    "REDIS_URL": "redis://queue:6379/0",
    "EMAIL_URL": "smtps://user:p%40ss@smtp.example.nl",
}


def load(environment: dict[str, str], ask: str = "None") -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of its own that knows nothing but this environment; print a setting."""
    program = f"import wise_marketing.settings as settings; print({ask})"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_settings_at_all_end_with_one_line_that_names_each() -> None:
    done = load({})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for name in GOOD:
        assert f"{name} is missing" in done.stderr


@pytest.mark.parametrize("program", [["manage.py", "check"], ["-m", "celery", "-A", "wise_marketing", "report"]])
def test_every_process_ends_with_that_line_and_no_traceback(program: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *program],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.startswith("wise-marketing cannot start: SECRET_KEY is missing")
    assert "Traceback" not in done.stderr


def test_complete_settings_load() -> None:
    done = load(GOOD, "settings.ALLOWED_HOSTS[0], settings.SESSION_COOKIE_SECURE, settings.DEBUG")
    assert done.stdout == "crm.example.nl True False\n", done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DATABASE_URL", "sqlite:///db.sqlite3", "DATABASE_URL must look like postgresql://"),
        ("DATABASE_URL", "postgresql://wise:pw@db/", "DATABASE_URL must look like postgresql://"),
        ("REDIS_URL", "memcached://somewhere", "REDIS_URL must look like redis://"),
        ("EMAIL_URL", "gopher://somewhere", "EMAIL_URL must look like smtp://"),
        ("EMAIL_URL", "gopher://somewhere:25", "EMAIL_URL must look like smtp://"),
        ("EMAIL_URL", "smtp://host:port", "EMAIL_URL must look like smtp://"),
        ("BASE_URL", "crm.example.nl", "BASE_URL must look like https://"),
        ("SECRET_KEY", "short", "SECRET_KEY must have at least 32 characters"),
        ("DEBUG", "maybe", "DEBUG must be 0 or 1, not 'maybe'"),
        ("FROM_EMAIL", "the library", "FROM_EMAIL must look like"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of"),
        ("ANYMAIL_REQUESTS_TIMEOUT", "long", "ANYMAIL_REQUESTS_TIMEOUT must look like 30"),
        ("WISE_STATE_DIR", "/dev/null/state", "WISE_STATE_DIR=/dev/null/state cannot be made"),
        ("SECRET_KEY_FILE", "/nowhere/key", "SECRET_KEY_FILE=/nowhere/key cannot be read"),
    ],
)
def test_a_wrong_setting_ends_with_one_line(name: str, value: str, words: str) -> None:
    environment = {**GOOD, name: value}
    if name.endswith("_FILE"):
        del environment[name.removesuffix("_FILE")]
    done = load(environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "told",
    ["[]", "{}", '{"url": "https://x", "colour": 1}', '{"url": "https://x:99999"}', '{"url": "https://x/ö"}',
     '{"url": "https://x", "headers": {"A": "b\\nc"}}', '{"url": "https://x", "headers": "A"}',
     '{"url": "https://x", "words": {"what": "a"}}'],
)  # fmt: skip
def test_a_provider_of_text_messages_that_cannot_be_asked_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"\[\]|\{\}|url|Port"):
        parse_text_api(told)
    assert {field.name for field in fields(Words)} == TEXT_WORDS
    assert parse_text_api('{"url": "https://x.example/1", "headers": {"A": "b"}}')


def test_a_password_in_a_wrong_url_is_not_shown() -> None:
    done = load(GOOD | {"DATABASE_URL": "mysql://wise:very-secret@db/wise"})
    assert done.returncode == 1
    assert "very-secret" not in done.stderr


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://wise:from-file@db/wise\n")
    environment = {**GOOD, "DATABASE_URL_FILE": str(tmp_path / "url")}
    del environment["DATABASE_URL"]
    done = load(environment, "settings.DATABASES['default']['PASSWORD']")
    assert done.stdout == "from-file\n", done.stderr


def test_a_local_machine_makes_its_keys_once_and_keeps_them(tmp_path: Path) -> None:
    environment = {"DEBUG": "1", "WISE_STATE_DIR": str(tmp_path)}
    ask = "settings.SECRET_KEY, settings.LINK_KEY"
    first, second = load(environment, ask), load(environment, ask)
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "secret_key").read_text() != (tmp_path / "link_key").read_text()


def test_production_makes_no_key(tmp_path: Path) -> None:
    environment = {**GOOD, "WISE_STATE_DIR": str(tmp_path)}
    del environment["LINK_KEY"]
    assert "LINK_KEY is missing" in load(environment).stderr
    assert list(tmp_path.iterdir()) == []


def test_a_socket_of_postgresql_is_a_host() -> None:
    database = parse_database("postgresql://wise@/wise?host=/run/wise-1")
    assert (database["HOST"], database["NAME"], database["USER"]) == ("/run/wise-1", "wise", "wise")


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [
        ("smtp://mail.example.nl", 25, False, False),
        ("smtp+tls://u:p@mail.example.nl", 587, True, False),
        ("smtps://u:p@mail.example.nl:4650", 4650, False, True),
    ],
)
def test_an_email_url_says_how_to_encrypt(url: str, port: int, tls: bool, ssl: bool) -> None:
    email = parse_email(url)
    assert (email["EMAIL_PORT"], email["EMAIL_USE_TLS"], email["EMAIL_USE_SSL"]) == (port, tls, ssl)


def test_a_password_in_a_url_is_decoded() -> None:
    assert parse_email("smtps://user:p%40ss@mail.example.nl")["EMAIL_HOST_PASSWORD"] == "p@ss"


def test_celery_gets_its_own_form_of_a_socket() -> None:
    assert celery_broker("unix:///tmp/v.sock?db=3") == "redis+socket:///tmp/v.sock?virtual_host=3"
    assert celery_broker("redis://host/2") == "redis://host/2"


def test_the_slash_at_the_end_of_the_base_url_is_dropped() -> None:
    assert parse_base("https://crm.example.nl/") == "https://crm.example.nl"


def test_a_redis_url_without_a_host_is_refused() -> None:
    with pytest.raises(ValueError, match="redis"):
        parse_redis("redis:///0")
