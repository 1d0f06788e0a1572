"""What tests about websites share: a site, and a visitor's browser that sends to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from customers.models import World
from tests.factories import NOW
from website import throttle
from website.actions import add_rule, add_site
from website.models import Site
from website.sites import forget_sites

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
Send = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    forget_sites()
    throttle.start_again()
    yield
    forget_sites()


@pytest.fixture
def site(db: None) -> Site:
    site = add_site(name="Bibliotheek Waterland", hosts=["www.example.nl"], by=None, now=NOW)
    travel = World.objects.get_or_create(code="reizen", defaults={"name": "Reizen"})[0]
    add_rule(site, prefix="/catalogus", section="Catalogus", world=None, by=None)
    add_rule(site, prefix="/catalogus/reizen/", section="Reisboeken", world=travel, by=None)
    forget_sites()
    return site


@pytest.fixture
def send(site: Site) -> Send:
    """Send one hit as the script does; ``headers`` and parts of the body may be given."""
    client, number = Client(), iter(range(10_000))

    def send(what: str = "view", *, headers: dict[str, str] | None = None, **parts: Any) -> HttpResponse:
        body = {"s": site.key, "v": "bezoek-een", "i": f"pagina-{next(number):04}", "t": what, "p": "/"} | parts
        usual = {"origin": "https://www.example.nl", "user-agent": AGENT}
        return client.post(  # type: ignore[return-value]
            "/w/hit/",
            json.dumps({key: value for key, value in body.items() if value is not None}),
            content_type="text/plain;charset=UTF-8",
            headers={key: value for key, value in (usual | (headers or {})).items() if value},
        )

    return send
