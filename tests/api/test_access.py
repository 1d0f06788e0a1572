from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from knox.models import AuthToken
from rest_framework.test import APIClient

from common.actions import add_token, deactivate_user, withdraw_token
from common.errors import Refused

pytestmark = pytest.mark.django_db


def test_a_token_opens_the_api(api: APIClient) -> None:
    assert api.get("/api/v1/branches/").status_code == 200


def test_without_a_token_the_api_is_closed() -> None:
    assert APIClient().get("/api/v1/customers/").status_code in {401, 403}


def test_a_withdrawn_token_no_longer_works(api: APIClient, administrator: User) -> None:
    withdraw_token(AuthToken.objects.get(), by=administrator)
    assert api.get("/api/v1/branches/").status_code == 401


def test_the_tokens_of_a_closed_integration_no_longer_work(api: APIClient, administrator: User) -> None:
    deactivate_user(User.objects.get(username="website"), by=administrator)
    assert api.get("/api/v1/branches/").status_code == 401


def test_a_token_expires_after_a_year(api: APIClient) -> None:
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=366)):
        assert api.get("/api/v1/branches/").status_code == 401


def test_people_get_no_tokens(marketeer: User, administrator: User) -> None:
    with pytest.raises(Refused) as refused:
        add_token(marketeer, by=administrator)
    assert refused.value.code == "not_an_integration"


def test_only_a_hash_of_the_token_is_kept(api: APIClient, administrator: User) -> None:
    token = add_token(User.objects.get(username="website"), by=administrator)
    kept = {str(value) for row in AuthToken.objects.values() for value in row.values()}
    assert token not in kept


def test_a_marketeer_may_read_the_description_but_not_use_the_api(client: Client, marketeer: User) -> None:
    client.force_login(marketeer, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/docs/").status_code == 200
    assert client.get("/api/v1/customers/").status_code == 403


def test_the_description_loads_nothing_from_elsewhere(client: Client, marketeer: User) -> None:
    client.force_login(marketeer, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get("/api/v1/docs/").content.decode()
    assert "swagger-ui-bundle.js" in page
    assert 'src="http' not in page
    assert 'href="http' not in page
