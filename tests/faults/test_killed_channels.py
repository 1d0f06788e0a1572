"""Text messages and piles of letters of which the worker is killed in the middle: no text twice, no letter lost."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from common.sql import execute
from customers.models import Purpose
from mailings import queue
from mailings.actions import change_text_settings, print_letters, save_content, save_short_text
from mailings.models import LetterBatch, Mailing, Message, PrintedLetter, SendingSettings
from mailings.sms.worker import send_ready_texts
from tests.factories import ConsentFactory, CustomerFactory
from tests.faults.rig import wait_until
from tests.killable import Killable, killable

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, TEXTS = 4, 20
#: Stands still, and says so, before it hands over or after it did.
TEXT_WORKER = f"""
import time
from pathlib import Path
from mailings.delivery.texts import FolderProvider
from mailings.sms.worker import send_ready_texts
folder = Path({{folder!r}})

class Slow(FolderProvider):
    at_once = {AT_ONCE}
    def send(self, texts):
        done = super().send(texts) if {{place!r}} == "after" else None
        (folder / "halted").touch()
        time.sleep(600)
        return done

send_ready_texts(seconds=60, provider=Slow(folder))
"""
LETTER_WORKER = """
import time
from pathlib import Path
from django.test import override_settings
from django.utils import timezone
from mailings.actions import letters
from mailings.models import Mailing

honest = letters.write_pile
def printed(*given):
    letters.finish_mailings = halt  # the next that is asked, once the file is there
    return honest(*given)
def halt(**given):
    Path({folder!r}, "halted").touch()
    time.sleep(600)
letters.write_pile = printed
with override_settings(MEDIA_ROOT={folder!r}):
    letters.print_letters(Mailing.objects.get(), now=timezone.now())
"""


@pytest.fixture
def now() -> Any:
    return timezone.now()


@pytest.fixture
def worker(process_environment: dict[str, str]) -> Iterator[Killable]:
    with killable(process_environment, "import mailings.tasks, django.test") as made:
        yield made
    execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def kill_halted(worker: Killable, code: str, folder: Path) -> None:
    """Let a worker begin, and kill it where it stands still."""
    (folder / "halted").unlink(missing_ok=True)
    worker.start(code)
    wait_until((folder / "halted").exists, what="for the worker")
    worker.kill()


def test_a_text_message_is_handed_over_once_whenever_its_worker_dies(
    start: Callable[..., Mailing], house: SendingSettings, marketing: Purpose, settings: Any, worker: Killable,
    tmp_path: Path, now: Any,
) -> None:  # fmt: skip
    settings.SMS_FOLDER, settings.SMS_API = tmp_path, ""
    change_text_settings(sender="Bieb", price_mills=80, from_hour=0, until_hour=24)
    for number in range(TEXTS):
        ConsentFactory(customer=CustomerFactory(phone=f"+316122{number:05d}"), purpose=marketing, channel="sms")
    content = save_content(None, name="Kom", now=now)
    save_short_text(content, text="Dag {{ first_name }}, kom kijken.", now=now)
    start(content=content, channels="sms")
    places = ("before", "after", "after")
    for place in places:
        kill_halted(worker, TEXT_WORKER.format(folder=str(tmp_path), place=place), tmp_path)
        Message.objects.filter(lease_until__isnull=False).update(lease_until=now)
        assert queue.recover()[1] == AT_ONCE
    send_ready_texts(seconds=60)
    lines = [json.loads(line) for path in tmp_path.glob("out/*.jsonl") for line in path.read_text().splitlines()]
    taken = Counter(line["id"] for line in lines)
    state = dict(Message.objects.values_list("pk", "state"))
    assert set(taken.values()) == {1}
    assert Counter(state.values()) == {"sent": TEXTS - len(places) * AT_ONCE, "in_doubt": len(places) * AT_ONCE}
    assert {number for number, known in state.items() if known == "sent"} <= set(taken)
    assert len(taken) == TEXTS - AT_ONCE  # those that were never handed over are in doubt too, for people to settle


def test_letters_that_were_being_printed_are_all_printed_and_no_file_of_them_is_forgotten(
    start: Callable[..., Mailing], house: SendingSettings, settings: Any, worker: Killable, tmp_path: Path, now: Any
) -> None:
    from common.retention import retention_rules

    settings.MEDIA_ROOT = tmp_path
    for number in range(3):
        CustomerFactory(email="", postal_code=f"144{number}AB")
    mailing = start(channels="email_or_letter")
    kill_halted(worker, LETTER_WORKER.format(folder=str(tmp_path)), tmp_path)
    (lost,) = tmp_path.glob("letters/**/*.pdf")
    assert mailing.messages.by_state() == {"queued": 3}
    assert not LetterBatch.objects.exists()
    batch = print_letters(mailing, now=now)
    assert mailing.messages.by_state() == {"sent": 3}
    assert PrintedLetter.objects.filter(batch=batch, message__mailing=F("batch__mailing")).count() == 3
    rule = next(one for one in retention_rules if one.code == "letters")
    tomorrow = now + dt.timedelta(days=2)
    assert (rule.count(now - dt.timedelta(days=30), now), lost.exists()) == (0, True)
    assert rule.count(now - dt.timedelta(days=30), tomorrow) == 1
    assert rule.apply(now - dt.timedelta(days=30), tomorrow) == 1
    assert not lost.exists()
    assert Path(batch.file.path).exists()
