from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from tests.faults.scripted_smtp import Server, scripted_smtp
from tests.mailings.conftest import (
    base_data,
    house,
    make_content,
    marketing,
    reader,
    readers,
    service,
    start,
)

__all__ = ["base_data", "house", "make_content", "marketing", "reader", "readers", "service", "start"]


@pytest.fixture(scope="module")
def copied(django_db_setup: None) -> dict[str, str]:
    """The environment in which PostgreSQL's own programs find the database of the tests, to be copied."""
    database = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    return {name: str(database[key]) for name, key in names.items() if database[key]}


@pytest.fixture
def mail_server(settings: Settings, tmp_path: Path) -> Iterator[Server]:
    with scripted_smtp(tmp_path / "ledger") as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
