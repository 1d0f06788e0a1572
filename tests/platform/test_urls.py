import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory
from pytest_django import Settings

from wise_marketing.middleware import DatabaseAwayMiddleware, unavailable


def test_healthz_answers_without_a_session(client: Client) -> None:
    response = client.get("/healthz/")
    assert (response.status_code, response.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_readyz_says_ready_when_database_and_broker_answer(client: Client) -> None:
    assert client.get("/readyz/").content == b"ready\n"


@pytest.mark.django_db
def test_readyz_says_503_and_nothing_more_when_the_broker_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    response = client.get("/readyz/")
    assert (response.status_code, response.content) == (503, b"not ready\n")


def test_a_database_that_is_away_gives_a_page_of_its_own_with_503() -> None:
    def view(request: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    response = DatabaseAwayMiddleware(view)(RequestFactory().get("/"))  # type: ignore[arg-type]
    assert response.status_code == 503
    assert response["Retry-After"] == "10"
    assert b"closed the connection" not in response.content


def test_the_api_says_503_as_json() -> None:
    response = unavailable(RequestFactory().get("/api/v1/customers/"))
    assert response["Content-Type"] == "application/json"


@pytest.mark.django_db
def test_dutch_is_spoken_until_the_visitor_chooses_english(client: Client) -> None:
    page = client.get("/accounts/login/", headers={"accept-language": "en-GB"})
    assert page["Content-Language"] == "nl"
    client.post("/language/", {"language": "en"})
    assert client.get("/accounts/login/")["Content-Language"] == "en"


@pytest.mark.django_db
def test_every_page_carries_the_strict_policy(client: Client) -> None:
    headers = client.get("/accounts/login/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_eight_wrong_passwords_lock_a_name_out(client: Client, marketeer: object) -> None:
    wrong = {"username": "marketeer", "password": "onjuist"}
    answers = [client.post("/accounts/login/", wrong).status_code for _attempt in range(8)]
    assert answers[-1] == 429
    right = client.post("/accounts/login/", {"username": "marketeer", "password": "geheim-wachtwoord"})
    assert right.status_code == 429
