"""The rules that every mail in the tests is held against find what is wrong with one."""

from __future__ import annotations

import pytest

from tests.mail_rules import faults_of

GOOD = (
    "From: Bibliotheek <nieuws@waterland.example>\r\nTo: anna@example.nl\r\nSubject: Nieuws\r\n"
    "Date: Mon, 15 Jun 2026 10:00:00 +0200\r\nMessage-ID: <mailing.1.2@waterland.example>\r\n"
    "List-Unsubscribe: <https://crm.example.nl/m/u/x>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "List-Id: Nieuws <marketing.waterland.example>\r\nPrecedence: bulk\r\nMIME-Version: 1.0\r\n"
    'Content-Type: multipart/alternative; boundary="=_b"\r\n\r\n'
    "\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDag Anna\r\n"
    '\r\n--=_b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html lang="nl"><p>Dag Anna</p></html>\r\n'
    "\r\n--=_b--\r\n"
)


def faults(content: str, sender: str = "bounce+x@waterland.example") -> list[str]:
    return faults_of(content.encode(), sender=sender, recipients=["anna@example.nl"])


def test_a_mail_in_order_has_no_faults() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("was", "becomes", "words"),
    [
        ("Dag Anna\r\n", "Dag Anna\n", "not CRLF"),
        ("Dag Anna", "x" * 999, "998"),
        ("Dag Anna", "Dag Zoë", "8 bits"),
        ("Subject: Nieuws", "Subject: Caf\u00e9", "not ASCII"),
        ("Subject: Nieuws\r\n", "", "0 headers Subject"),
        ("Subject: Nieuws", "Subject: Dag {{ first_name }}", "unfinished"),
        ("Precedence", "Bcc: dief@example.org\r\nPrecedence", "not ours"),
        ("To: anna@", "To: bas@", "To says"),
        ("<nieuws@waterland", "<nieuws@elders", "not aligned"),
        ("<mailing.1.2@waterland.example>", "geen", "Message-ID"),
        ("=One-Click", "=Ja", "List-Unsubscribe-Post"),
        ("List-Unsubscribe: <https:", "List-Unsubscribe: <mailto:", "List-Unsubscribe:"),
        ("Precedence: bulk\r\n", "", "neither bulk"),
        ("List-Id: Nieuws <marketing.waterland.example>", "List-Id: Nieuws", "List-Id"),
        ("--=_b--", "--=_c--", "multipart/alternative:"),
        ("Dag Anna\r\n", "\r\n", "empty"),
        ('<html lang="nl">', "<html>", "language"),
        ("Precedence", "DKIM-Signature: v=1; h=from:to; b=x\r\nPrecedence", "does not cover"),
    ],
)
def test_what_is_wrong_with_a_mail_is_found(was: str, becomes: str, words: str) -> None:
    assert was in GOOD
    assert [fault for fault in faults(GOOD.replace(was, becomes, 1)) if words in fault]
