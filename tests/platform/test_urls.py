import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from wise_marketing.cache import ForgivingRedisCache


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


ASK_WITHOUT_DATABASE = """
import django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False, SERVER_NAME="localhost")
print(client.get("/healthz/").status_code)
for path in ("/readyz/", "/", "/api/v1/customers/"):
    answer = client.get(path)
    print(answer.status_code, answer.headers.get("Retry-After"), answer.headers["Content-Type"])
    assert b"wise-nowhere" not in answer.content
    client.cookies["sessionid"] = "of-somebody"
"""


def test_while_the_database_is_away_pages_and_api_answer_503() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK_WITHOUT_DATABASE],
        env={
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "wise_marketing.settings",
            "DATABASE_URL": "postgresql://wise@/wise?host=/run/wise-nowhere",
            "WISE_EMBEDDED": "1",
            "REDIS_URL": os.environ["REDIS_URL"],
        },
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    answers = [line for line in done.stdout.splitlines() if line[:3].isdigit() and "ERROR" not in line]
    assert answers == [
        "200",
        "503 None text/plain",
        "503 10 text/html; charset=utf-8",
        "503 10 application/json",
    ], done.stderr


def test_pages_go_on_while_the_cache_is_away() -> None:
    cache = ForgivingRedisCache("redis://127.0.0.1:1/0", {})
    cache.set("key", "value")
    assert cache.get("key", "default") == "default"


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


@pytest.mark.django_db
def test_a_program_is_answered_in_json_and_in_its_language(client: Client) -> None:
    answer = client.get("/api/v1/nope/", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": "There is nothing at this address."}
    assert client.get("/api/v1/nope/").json() == {"detail": "Op dit adres is niets te vinden."}
    assert client.get("/nope/", follow=True).headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_who_opens_the_description_of_the_api_in_a_browser_logs_in_first(client: Client) -> None:
    assert client.get("/api/v1/docs/").url.startswith("/accounts/login/?next=/api/v1/docs/")
    assert client.get("/api/v1/docs/", headers={"Authorization": "Bearer nonsense"}).status_code == 401


@pytest.mark.django_db
def test_a_form_that_comes_from_nowhere_is_refused_in_words_for_people() -> None:
    answer = Client(enforce_csrf_checks=True).post("/language/", {"language": "en"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Dat is niet gedaan" in page
    assert "CSRF" not in page
    assert "DEBUG" not in page
