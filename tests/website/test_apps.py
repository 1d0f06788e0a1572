"""What the page for builders says an app may send, sent as it stands there."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from common.actions import add_integration
from common.time import clock
from customers.models import Fact
from tests.factories import NOW, CustomerFactory
from tests.website.test_linking import says
from website.actions import change_site, record_visits
from website.models import Hit, Site
from website.sites import forget_sites

pytestmark = pytest.mark.django_db


def examples() -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """Return (path, headers, body) of each request on the page."""
    page = (Path(settings.BASE_DIR) / "docs/web-statistics.md").read_text()
    found = []
    for block in re.findall(r"```http\n(.*?)```", page, re.DOTALL):
        head, _empty, body = block.partition("\n\n")
        first, *lines = head.splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        found.append((first.split()[1], headers, json.loads(body)))
    return found


@pytest.fixture
def app(site: Site) -> Site:
    change_site(site, is_app=True, by=None, now=NOW)
    forget_sites()
    return site


def send(site: Site, body: dict[str, Any], headers: dict[str, str]) -> int:
    told = json.dumps(body | {"s": site.key})
    agent = {"user-agent": headers["User-Agent"]}
    return Client().post("/w/hit/", told, content_type=headers["Content-Type"], headers=agent).status_code


def test_the_use_of_an_app_is_taken_in_with_its_duration(app: Site) -> None:
    _path, headers, body = examples()[0]
    assert send(app, body, headers) == 204
    assert send(app, body, headers) == 204, "sent twice it counts once"
    hit = Hit.objects.get()
    assert (hit.kind, hit.duration_seconds, hit.visit) == ("app_use", 95, body["v"])


def test_who_logged_in_is_linked_when_he_allows_it(app: Site, administrator: User) -> None:
    (_path, headers, use), (tokens, _headers, asked), (_hit, _agent, identify) = examples()
    customer = CustomerFactory(number=asked["customer"])
    says(customer, "granted")
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {add_integration(name='app', by=administrator)[1]}")
    token = api.post(tokens, asked, format="json").data["token"]
    assert send(app, use, headers) == 204
    assert send(app, identify | {"c": token}, headers) == 204
    assert record_visits(now=clock() + dt.timedelta(hours=1)) == 1
    fact = Fact.objects.get()
    assert (fact.customer, fact.kind, fact.duration_seconds) == (customer, "app_use", 95)


@pytest.mark.parametrize(("headers", "status"), [({"Sec-GPC": "1"}, 204), ({"DNT": "1"}, 204)])
def test_who_does_not_want_it_leaves_nothing(app: Site, headers: dict[str, str], status: int) -> None:
    _path, usual, body = examples()[0]
    told = json.dumps(body | {"s": app.key})
    sent = {"user-agent": usual["User-Agent"], **headers}
    assert Client().post("/w/hit/", told, content_type="application/json", headers=sent).status_code == status
    assert not Hit.objects.exists()


def test_a_website_that_is_no_app_takes_nothing_without_a_domain(site: Site) -> None:
    _path, headers, body = examples()[0]
    assert send(site, body, headers) == 403
