from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from demo.mailbox import Mailbox


@pytest.fixture
def mailbox(settings: Settings, tmp_path: Path) -> Mailbox:
    settings.DEMO, settings.STATE_DIR = True, tmp_path
    return Mailbox(tmp_path / "mailbox")


@pytest.fixture
def staff(client_of: Callable[[User], Client], marketeer: User) -> Client:
    return client_of(marketeer)


def deliver(mailbox: Mailbox, to: str, subject: str, *, html: str = "") -> int:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Bibliotheek <b@example.nl>", to, subject
    message.set_content("Beste lezer,\nveel plezier <vandaag>.\n")
    if html:
        message.add_alternative(html, subtype="html")
    envelope = Envelope()
    envelope.mail_from, envelope.rcpt_tos = "b@example.nl", [to]
    envelope.original_content = message.as_bytes()
    return mailbox.keep(envelope, datetime.now(UTC))


def test_newest_mail_stands_first_and_can_be_found_by_address(mailbox: Mailbox, staff: Client) -> None:
    deliver(mailbox, "truus@example.nl", "Gefeliciteerd, Truus")
    deliver(mailbox, "jaap@example.nl", "Welkom")
    page = staff.get(reverse("workbench:mailbox")).content.decode()
    assert page.index("Welkom</a>") < page.index("Gefeliciteerd, Truus</a>")
    found = staff.get(reverse("workbench:mailbox"), {"q": "TRUUS@"}).content.decode()
    assert "Gefeliciteerd, Truus" in found
    assert "jaap@example.nl" not in found


def test_empty_mailbox_and_empty_search_say_so(mailbox: Mailbox, staff: Client) -> None:
    assert "Nog geen mail" in staff.get(reverse("workbench:mailbox")).content.decode()
    deliver(mailbox, "truus@example.nl", "Welkom")
    assert "Geen mail gevonden" in staff.get(reverse("workbench:mailbox"), {"q": "komt nergens voor"}).content.decode()


def test_half_written_index_line_is_not_shown(mailbox: Mailbox, staff: Client) -> None:
    deliver(mailbox, "truus@example.nl", "Welkom")
    with (mailbox.folder / "index.jsonl").open("a") as index:
        index.write('{"n": 2, "arrived')
    assert "Welkom" in staff.get(reverse("workbench:mailbox")).content.decode()


def test_mail_shows_its_parts_and_never_runs_its_html_in_our_page(mailbox: Mailbox, staff: Client) -> None:
    evil = "<html><head></head><body><h1>Dag</h1><script>alert(1)</script></body></html>"
    number = deliver(mailbox, "truus@example.nl", "Welkom", html=evil)
    url = reverse("workbench:mailbox_mail", args=[number])
    page = staff.get(url).content.decode()
    assert reverse("workbench:mailbox_body", args=[number]) in page
    assert "alert(1)" not in page
    assert "veel plezier &lt;vandaag&gt;" in staff.get(url, {"part": "plain"}).content.decode()
    assert "Bibliotheek &lt;b@example.nl&gt;" in staff.get(url, {"part": "headers"}).content.decode()


def test_body_is_sandboxed_and_opens_links_in_a_new_tab(mailbox: Mailbox, staff: Client) -> None:
    number = deliver(mailbox, "t@example.nl", "Welkom", html="<html><head></head><body>Dag</body></html>")
    response = staff.get(reverse("workbench:mailbox_body", args=[number]))
    policy = response["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert '<head><base target="_blank">' in response.content.decode()
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_mail_without_html_is_shown_as_escaped_text(mailbox: Mailbox, staff: Client) -> None:
    number = deliver(mailbox, "t@example.nl", "Welkom")
    body = staff.get(reverse("workbench:mailbox_body", args=[number])).content.decode()
    assert "veel plezier &lt;vandaag&gt;" in body


def test_source_is_the_mail_as_it_came_in(mailbox: Mailbox, staff: Client) -> None:
    number = deliver(mailbox, "t@example.nl", "Welkom")
    response = staff.get(reverse("workbench:mailbox_source", args=[number]))
    content = b"".join(response.streaming_content)
    assert content == (mailbox.folder / "000001.eml").read_bytes()
    assert response["Content-Type"] == "message/rfc822"


PAGES = ["mailbox", "mailbox_mail", "mailbox_body", "mailbox_source"]


def address(name: str, number: int) -> str:
    return reverse(f"workbench:{name}", args=[] if name == "mailbox" else [number])


@pytest.mark.parametrize("name", PAGES)
def test_unknown_mail_and_other_installations_have_no_such_page(
    name: str, mailbox: Mailbox, staff: Client, settings: Settings
) -> None:
    number = deliver(mailbox, "t@example.nl", "Welkom")
    assert staff.get(address(name, number)).status_code == 200
    if name != "mailbox":
        assert staff.get(address(name, 99)).status_code == 404
    settings.DEMO = False
    assert staff.get(address(name, number)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_only_staff_of_the_workbench_may_read_mail(
    name: str, mailbox: Mailbox, client_of: Callable[[User], Client], counter_staff: User
) -> None:
    number = deliver(mailbox, "t@example.nl", "Welkom")
    assert client_of(counter_staff).get(address(name, number)).status_code == 403
    assert Client().get(address(name, number)).status_code == 302
