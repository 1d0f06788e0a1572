"""What a spam filter thinks of our mail. Where there is none (``apt-get install spamassassin``) nobody can be asked."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from customers.models import Purpose
from mailings.models import Content, Mailing
from mailings.worker import send_ready
from tests.smtp_sink import Sink

MOST = 2.0  # points; at 5 a mail is spam
PROGRAM = shutil.which("spamassassin")
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not PROGRAM, reason="SpamAssassin is not installed: apt-get install spamassassin"),
]

#: How the receiving server writes down where a mail came from; without it every mail looks forged.
RECEIVED = (
    b"Received: from mail.waterland.example (mail.waterland.example [80.69.67.10])\r\n"
    b"\tby mx.example.nl (Postfix) with ESMTPS id 4F1A2B3C\r\n\tfor <klant@example.nl>; %s\r\n"
)
NEWS: list[dict[str, Any]] = [
    {"type": "heading", "data": {"text": "Drie avonden in het theater"}},
    {"type": "text", "data": {"text": (
        "<p>Dag {{ first_name }},</p><p>In maart spelen er drie voorstellingen die bij uw keuze passen. U leest er "
        "hieronder meer over. Als lid van de bibliotheek zit u voor een lager bedrag in de zaal.</p>")}},
    {"type": "button", "data": {"text": "Bekijk de agenda", "url": "https://www.example.nl/agenda"}},
    {"type": "quote", "data": {"text": "Een avond om niet te vergeten.", "source": "Noordhollands Dagblad"}},
    {"type": "text", "data": {"text": "<p>Tot ziens in {{ city }}!</p>"}},
]  # fmt: skip


@pytest.fixture
def now() -> dt.datetime:
    return timezone.now()


def points(content: bytes) -> tuple[float, str]:
    """Return the score and the rules that made it, without asking the network."""
    assert PROGRAM
    at = timezone.now().strftime("%a, %d %b %Y %H:%M:%S +0000").encode()
    asked = [PROGRAM, "--local", "--test-mode"]
    done = subprocess.run(asked, input=RECEIVED % at + content, capture_output=True, check=False, timeout=120)
    told = done.stdout.decode("utf-8", "replace")
    score = re.search(r"X-Spam-Status: \w+, score=(-?[\d.]+)", told)
    assert score, told[:500] + done.stderr.decode()[:500]
    return float(score[1]), told.partition("Content analysis details")[2]


@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_a_mail_of_ours_is_no_spam(
    start: Callable[..., Mailing], make_content: Callable[..., Content], readers: Any, smtp_sink: Sink, purpose: str
) -> None:
    readers(1)
    content = make_content(*NEWS, subject="Drie avonden in het theater")
    start(content=content, purpose=Purpose.objects.get(code=purpose))
    send_ready(seconds=30)
    score, reasons = points(smtp_sink.received[0].content)
    print(score, reasons)
    assert score < MOST, reasons
