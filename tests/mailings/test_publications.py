"""The daily lists for other mail tools: exactly who the gate would let through, each day once, told and signed."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.errors import Refused
from customers.models import Customer, Purpose
from mailings.actions import (
    change_sending_settings,
    path_of,
    run_due_publications,
    run_publication,
    save_publication,
    send_webhooks,
    suppress_address,
)
from mailings.actions.publications import forget_in_files
from mailings.delivery import sign_webhook
from mailings.models import Mailing, Publication, PublicationRun, PublishedPerson
from tests.factories import BranchFactory, ConsentFactory, CustomerFactory, limit_messages

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
Reader = Callable[..., Customer]
Publish = Callable[..., Publication]


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.PUBLICATION_FOLDER = tmp_path / "publications"


@pytest.fixture
def publish(house: Any, marketing: Purpose, now: dt.datetime) -> Publish:
    def make(**fields: Any) -> Publication:
        told: dict[str, Any] = {
            "name": "Voor de mailtool", "purpose": marketing, "channel": "email", "columns": ["number", "email"],
            "has_file": True, "webhook_url": "", "daily_at": dt.time(5, 0), "is_active": True, "by": None, "now": now,
        }  # fmt: skip
        return save_publication(None, **{**told, **fields})

    return make


def numbers(publication: Publication) -> set[str]:
    return set(PublishedPerson.objects.filter(publication=publication).values_list("customer__number", flat=True))


def lines(run: PublicationRun) -> list[str]:
    return path_of(run.file_name).read_text().splitlines()


def crowd(reader: Reader, marketing: Purpose, now: dt.datetime) -> Customer:
    """Somebody who may be reached, and one for each reason why not."""
    good = reader()
    reader(email="")
    reader(email="dicht@example.nl")
    suppress_address("dicht@example.nl", now=now)
    reader(birth_date=dt.date(2018, 1, 1))
    reader(deceased_on=now.date())
    reader(restricted_at=now)
    CustomerFactory(kind="prospect")
    ConsentFactory(customer=reader(), purpose=marketing, state="objected", event_at=now)
    return good


def test_exactly_who_the_gate_would_let_through(
    publish: Publish, reader: Reader, marketing: Purpose, start: Callable[..., Mailing], now: dt.datetime
) -> None:
    good = crowd(reader, marketing, now)
    limit_messages(0)
    change_sending_settings(hold_out_percent=0)
    publication = publish()
    run = run_publication(publication, now=now)
    assert numbers(publication) == {good.number}
    assert run.people_count == 1
    accepted = start().decisions.filter(outcome="accepted").values_list("customer__number", flat=True)
    assert numbers(publication) == set(accepted)
    assert run.counts == {
        "accepted": 1, "restricted": 1, "deceased": 1, "no_permission": 1, "objection": 1, "no_address": 1,
        "suppressed": 1, "under_age": 1,
    }  # fmt: skip
    assert sum(run.counts.values()) == Customer.objects.count()


def test_caps_and_control_groups_are_of_mailings_not_of_permission(
    publish: Publish, reader: Reader, start: Callable[..., Mailing], now: dt.datetime
) -> None:
    for _number in range(20):
        reader()
    start()
    limit_messages(1)
    change_sending_settings(hold_out_percent=50)
    assert run_publication(publish(), now=now).people_count == 20


def test_the_file_holds_the_chosen_columns_and_no_formula(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    branch = BranchFactory(code="PUR")
    reader(number="1", first_name="=1+1", last_name='Jan"sen; P.', branch=branch, email="a@example.nl")
    run = run_publication(publish(columns=["branch", "number", "last_name", "first_name", "email"]), now=now)
    assert lines(run) == [
        "number;email;first_name;last_name;branch",
        '1;a@example.nl;\'=1+1;"Jan""sen; P.";PUR',
    ]


def test_letters_are_published_by_post(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    reader(number="1", email=""), reader(number="2", address_state="moved")
    publication = publish(channel="post", columns=["number", "street", "city"])
    run = run_publication(publication, now=now)
    assert numbers(publication) == {"1"}
    assert lines(run)[0] == "number;street;city"


def test_a_second_run_on_a_day_replaces_the_first(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    publication, first = publish(), reader()
    run_publication(publication, now=now)
    ConsentFactory(customer=first, purpose=publication.purpose, state="withdrawn", event_at=now)
    second = reader()
    run_publication(publication, now=now + dt.timedelta(hours=1))
    assert numbers(publication) == {second.number}
    assert PublicationRun.objects.count() == 1


def test_each_day_at_its_time_and_never_twice(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    reader()
    publication = publish(daily_at=dt.time(11, 0))  # it is ten in Amsterdam
    assert run_due_publications(now=now) == 0
    assert run_due_publications(now=now + dt.timedelta(hours=1)) == 1
    assert run_due_publications(now=now + dt.timedelta(hours=2)) == 0
    assert run_due_publications(now=now + DAY + dt.timedelta(hours=1)) == 1
    publication.refresh_from_db()
    assert publication.next_at == now + 2 * DAY + dt.timedelta(hours=1)
    Publication.objects.update(is_active=False)
    assert run_due_publications(now=now + 5 * DAY) == 0


def test_old_files_go(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    reader()
    publication = publish()
    runs = [run_publication(publication, now=now + days * DAY) for days in range(9)]
    assert [path_of(run.file_name).exists() for run in runs] == [False, False, *[True] * 7]


def test_old_files_go_when_the_publication_got_another_name(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    publication = publish()
    first = run_publication(publication, now=now)
    publication.name = "Andere naam"
    publication.save()
    later = [run_publication(publication, now=now + n * DAY) for n in range(1, 8)]
    assert not path_of(first.file_name).exists()
    assert all(path_of(run.file_name).exists() for run in later)


def test_a_folder_that_cannot_be_written_is_said_and_the_list_stands(
    publish: Publish, reader: Reader, settings: Any, tmp_path: Path, now: dt.datetime
) -> None:
    reader()
    (tmp_path / "file").touch()
    settings.PUBLICATION_FOLDER = tmp_path / "file"
    run = run_publication(publish(), now=now)
    assert (run.people_count, run.file_name) == (1, "")
    assert run.error


def test_who_is_erased_goes_out_of_the_files(publish: Publish, reader: Reader, now: dt.datetime) -> None:
    reader(number="1", email="weg@example.nl"), reader(number="11", email="blijf@example.nl")
    run = run_publication(publish(), now=now)
    assert forget_in_files(["1", "weg@example.nl"]) == 1
    assert lines(run) == ["number;email", "11;blijf@example.nl"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"columns": ["first_name"]}, "columns"),
        ({"columns": ["number", "password"]}, "columns"),
        ({"webhook_url": "http://example.nl/x"}, "webhook_url"),
    ],
)
def test_what_cannot_be_published_is_refused(
    publish: Publish, settings: Any, wrong: dict[str, Any], field: str
) -> None:
    settings.IS_LOCAL = False
    with pytest.raises(Refused) as refused:
        publish(**wrong)
    assert refused.value.field == field


# --- the webhook ---


class Hook:
    """Another system's end: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(hook.answers.pop(0) if hook.answers else 204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    thread = threading.Thread(target=hook.server.serve_forever, daemon=True)
    thread.start()
    yield hook
    hook.server.shutdown()
    hook.server.server_close()
    thread.join()


def test_the_other_system_is_told_with_a_signature_and_without_persons(
    publish: Publish, reader: Reader, hook: Hook, now: dt.datetime
) -> None:
    reader(number="KL-4711")
    publication = publish(webhook_url=hook.url)
    run = run_publication(publication, now=now)
    assert send_webhooks(now=now) == 1
    assert send_webhooks(now=now) == 0
    [(headers, body)] = hook.got
    told = json.loads(body)
    assert (told["type"], told["data"]["people"], told["data"]["day"]) == ("publication.ready", 1, "2026-06-15")
    assert b"KL-4711" not in body
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-id"] == f"publication-{run.pk}"
    expected = sign_webhook(body, secret=publication.webhook_secret, webhook_id=headers["webhook-id"], at=at)
    assert headers["webhook-signature"] == expected
    run.refresh_from_db()
    assert (run.webhook, run.webhook_reply[:3]) == ("delivered", "204")


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the specification's reference implementation."""
    body, secret = b'{"test": 2432232314}', "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    found = sign_webhook(body, secret=secret, webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_is_tried_again_and_given_up(publish: Publish, reader: Reader, hook: Hook, now: dt.datetime) -> None:
    hook.answers = [503] * 10
    run = run_publication(publish(webhook_url=hook.url), now=now)
    for hours in range(0, 80, 8):
        send_webhooks(now=now + dt.timedelta(hours=hours))
    run.refresh_from_db()
    assert (run.webhook, run.webhook_tries, len(hook.got)) == ("failed", 6, 6)


def test_a_refusal_for_good_is_not_tried_again(publish: Publish, hook: Hook, now: dt.datetime) -> None:
    hook.answers = [410]
    run = run_publication(publish(webhook_url=hook.url), now=now)
    assert send_webhooks(now=now) == send_webhooks(now=now + DAY) == 0
    run.refresh_from_db()
    assert (run.webhook, run.webhook_reply, len(hook.got)) == ("failed", "410 Gone", 1)


# --- the API and the pages ---


def test_the_api_gives_it_page_by_page_and_leaves_out_who_said_no_since(
    publish: Publish, reader: Reader, client_of: Callable[[User], Client], integrator: User, now: dt.datetime
) -> None:
    people = [reader() for _number in range(5)]
    publication = publish(columns=["number"])
    run_publication(publication, now=now)
    ConsentFactory(customer=people[1], purpose=publication.purpose, state="withdrawn", event_at=now)
    client = client_of(integrator)
    after: int | None = 0
    found: list[str] = []
    for _page in range(3):
        page = client.get(f"/api/v1/publications/{publication.pk}/people/?limit=2&after={after}").json()
        found += [row["number"] for row in page["results"]]
        after = page["next"]
    assert after is None
    assert found == [one.number for one in people if one != people[1]]
    assert client.get(f"/api/v1/publications/{publication.pk}/people/?limit=5000").status_code == 400
    [run] = client.get(f"/api/v1/publications/{publication.pk}/runs/").json()
    assert run["people_count"] == 5


def test_staff_make_run_and_download_a_list(
    house: Any, marketing: Purpose, reader: Reader, client_of: Callable[[User], Client], marketeer: User
) -> None:
    reader(number="4711")
    client = client_of(marketeer)
    told = {"name": "Mailtool", "purpose": marketing.pk, "channel": "email", "columns": ["number", "email"],
            "daily_at": "05:00", "has_file": "on", "is_active": "on", "recipient": "Mailtool BV"}  # fmt: skip
    answer = client.post("/publications/add/", told)
    assert answer.status_code == 302
    assert "Mailtool" in client.get("/publications/").content.decode()
    client.post(f"{answer['Location']}run/")
    page = client.get(answer["Location"]).content.decode()
    run = PublicationRun.objects.get()
    address = f"/publications/{run.publication_id}/files/{run.pk}/"
    assert address in page
    assert b"4711" in b"".join(client.get(address).streaming_content)
    assert client.get(f"/publications/{run.publication_id}/files/{run.pk + 1}/").status_code == 404
    assert client.get(f"/publications/{run.publication_id}/change/").status_code == 200


def test_a_list_for_text_messages_holds_mobile_numbers_of_who_said_yes_once(
    publish: Publish, marketing: Purpose, now: dt.datetime
) -> None:
    mobile, same, landline, foreign, none, _silent = (
        CustomerFactory(phone=number) for number in
        ("+31612345678", "+31612345678", "+31201234567", "+32470123456", "", "+31687654321")
    )  # fmt: skip
    for customer in (mobile, same, landline, foreign, none):
        ConsentFactory(customer=customer, purpose=marketing, channel="sms", event_at=now - DAY)
    publication = publish(channel="sms", columns=["number", "phone"])
    run = run_publication(publication, now=now)
    assert numbers(publication) == {mobile.number, foreign.number}
    assert run.counts == {"accepted": 2, "duplicate": 1, "no_address": 2, "no_permission": 1}
    assert f"{mobile.number};+31612345678" in lines(run)  # no apostrophe: it is a number, not a formula


def test_a_list_to_ring_holds_every_number(publish: Publish, marketing: Purpose, now: dt.datetime) -> None:
    home, partner = CustomerFactory(phone="+31201234567"), CustomerFactory(phone="+31201234567")
    for customer in (home, partner, CustomerFactory(phone="")):
        ConsentFactory(customer=customer, purpose=marketing, channel="phone", event_at=now - DAY)
    publication = publish(channel="phone", columns=["number", "phone"])
    assert run_publication(publication, now=now).counts == {"accepted": 2, "no_address": 1}
    assert numbers(publication) == {home.number, partner.number}


def test_a_channel_that_the_purpose_does_not_use_is_refused(publish: Publish, marketing: Purpose) -> None:
    marketing.channels.filter(channel="sms").update(basis="none")
    with pytest.raises(Refused) as refused:
        publish(channel="sms")
    assert refused.value.code == "channel"


def test_the_register_names_who_gets_a_list(publish: Publish, administrator: User, client_of: Any) -> None:
    publish(name="Voor Spotler", recipient="Spotler BV")
    publish(name="Oud", recipient="Oude leverancier", is_active=False)
    page = client_of(administrator).get("/privacy/register/").content.decode()
    assert "Ontvangers van publicaties" in page
    assert "Spotler BV: Aanbiedingen en activiteiten (E-mail)" in page
    assert "Oude leverancier" not in page
