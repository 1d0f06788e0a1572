"""What each source brings: counted in a handful of statements, however many sources there are."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from customers.actions import ensure_base_data, run_import, upload_import
from customers.actions.tallies import tally_facts
from customers.models import Source
from customers.records import FIELDS
from tests.factories import CustomerFactory, FactFactory, SourceFactory, SubscriptionFactory
from workbench.source_figures import inventory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _start(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    cache.clear()
    ensure_base_data()


def take_in(source: str, kind: str, *lines: str, now: Any) -> None:
    file = io.BytesIO("\n".join(lines).encode())
    run_import(upload_import(format=kind, source_code=source, file=file, file_name="x.csv", by=None, now=now), now=now)


def test_a_source_tells_what_it_brought_and_what_was_refused(now: Any) -> None:
    header = "klantnummer;soort;voornaam;achternaam;postcode;huisnummer"
    take_in("library", "customers", header, "1;lid;An;Smit;1441AB;1", "2;lid;Bo;Smit;geen;1", now=now)
    FactFactory.create_batch(3, customer=CustomerFactory(), source=SourceFactory(code="theatre"))
    SubscriptionFactory(source=SourceFactory(code="library"))
    tally_facts(now=now)
    rows = {row["source"].code: row for row in inventory(now=now)["rows"]}
    library, theatre = rows["library"], rows["theatre"]
    assert (library["counts"]["records"], library["counts"]["subscriptions"]) == (1, 1)
    assert (library["last_at"], library["refused"], len(library["formats"])) == (now, 1, 1)
    assert (theatre["counts"]["facts"], theatre["last_at"]) == (3, None)
    assert "mailings" not in rows


def test_who_is_believed_first_follows_the_ranks(now: Any) -> None:
    believed = {name: set(names) for fields, names in inventory(now=now)["believed"] for name in fields}
    name, email, phone = (str(FIELDS[code].name) for code in ("last_name", "email", "phone"))
    assert {"Bibliotheeksysteem", "Balie", "MijnMenu"} <= believed[name]
    assert believed[email] == believed[phone] == believed[name] - {"Bibliotheeksysteem"}
    assert "Theaterkassa" not in set().union(*believed.values())
    Source.objects.filter(code="theatre").update(rank=1)
    assert all(names == ["Theaterkassa"] for fields, names in inventory(now=now)["believed"] if email not in fields)


def test_the_page_counts_once_an_hour_and_asks_no_more_for_more_sources(
    marketeer: User, client_of: Callable[[User], Client], django_assert_max_num_queries: Any
) -> None:
    desk = client_of(marketeer)
    assert desk.get("/sources/inventory/").status_code == 200
    for number in range(20):
        Source.objects.create(code=f"kassa-{number}", name=f"Kassa {number}")
    with django_assert_max_num_queries(8):
        page = desk.get("/sources/inventory/").content.decode()
    assert "Kassa 19" in page
    assert "/sources/inventory/" in desk.get("/sources/").content.decode()
