import datetime as dt
import io
import random
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.storage import default_storage
from pypdf import PdfReader

from common.errors import Refused
from customers.consents import record_consent
from customers.models import Customer, Purpose
from mailings.actions import (
    cancel,
    change_sending_settings,
    pause,
    post_batch,
    print_letters,
    reprint,
    resume,
    undo_batch,
)
from mailings.actions.batches import UNDO_DAYS
from mailings.gate import Terms, preview, preview_with_letters
from mailings.letter_codes import letter_code
from mailings.models import LetterBatch, Mailing, Message, PrintedLetter
from mailings.piles import addresses_of, count_waiting, places_of, waiting_places
from tests.factories import CustomerFactory, HouseholdFactory

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def residents(now: dt.datetime) -> list[Customer]:
    """Three in a row, of whom the first two live together."""
    home = {"email": "", "postal_code": "1111AA", "house_number": "3", "household": HouseholdFactory()}
    return [
        CustomerFactory(first_name="Fatima", **home),
        CustomerFactory(first_name="Bas", birth_date=dt.date(1990, 1, 1), **home),
        CustomerFactory(first_name="Carla", email="", postal_code="2222BB"),
    ]


def texts(pdf: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_pile_keeps_what_a_letter_cost_when_it_was_printed(
    start: Start, residents: list[Customer], now: dt.datetime
) -> None:
    mailing = start(channels="letter")
    change_sending_settings(letter_cents=135)
    batch = print_letters(mailing, now=now)
    change_sending_settings(letter_cents=200)
    batch.refresh_from_db()
    assert (batch.letter_count, batch.cents_each, batch.cents) == (3, 135, 405)


def test_what_was_undone_costs_nothing_and_waits_again(
    start: Start, residents: list[Customer], now: dt.datetime, marketeer: Any
) -> None:
    change_sending_settings(letter_cents=100)
    mailing = start(channels="letter")
    batch = print_letters(mailing, now=now)
    name = batch.file.name
    later = now + dt.timedelta(hours=1)
    assert undo_batch(batch, by=marketeer, now=later) == 3
    batch.refresh_from_db()
    mailing.refresh_from_db()
    assert (batch.undone_at, batch.cents, batch.file.name) == (later, 0, "")
    assert batch.events.latest("pgh_id").pgh_context.metadata["by"] == "marketeer"
    assert set(Message.objects.values_list("state", "sent_at", "attempts")) == {("queued", None, 0)}
    assert not PrintedLetter.objects.exists()
    assert mailing.state == "sending"
    again = print_letters(mailing, now=later)
    assert again.letter_count == 3
    assert default_storage.exists(name)  # the test's transaction has not ended, and the file goes after that


def test_the_file_of_what_was_undone_is_removed(
    start: Start, residents: list[Customer], now: dt.datetime, django_capture_on_commit_callbacks: Any
) -> None:
    batch = print_letters(start(channels="letter"), now=now)
    name = batch.file.name
    with django_capture_on_commit_callbacks(execute=True):
        undo_batch(batch, now=now)
    assert not default_storage.exists(name)


def test_what_was_posted_is_not_undone(start: Start, residents: list[Customer], now: dt.datetime) -> None:
    batch = print_letters(start(channels="letter"), now=now)
    post_batch(batch, now=now)
    assert post_batch(batch, now=now + dt.timedelta(days=1)).posted_at == now
    with pytest.raises(Refused) as refused:
        undo_batch(batch, now=now)
    assert refused.value.code == "wrong_state"
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_what_was_undone_is_not_posted_nor_printed_again(
    start: Start, residents: list[Customer], now: dt.datetime
) -> None:
    batch = print_letters(start(channels="letter"), now=now)
    undo_batch(batch, now=now)
    for act in (post_batch, undo_batch, reprint):
        with pytest.raises(Refused):
            act(batch, now=now)


def test_after_a_month_letters_have_been_posted(start: Start, residents: list[Customer], now: dt.datetime) -> None:
    batch = print_letters(start(channels="letter"), now=now)
    with pytest.raises(Refused):
        undo_batch(batch, now=now + dt.timedelta(days=UNDO_DAYS))


def test_in_a_cancelled_mailing_what_is_undone_stays_unsent(
    start: Start, residents: list[Customer], now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.actions.letters.MOST_PER_BATCH", 1)
    mailing = start(channels="letter")
    batch = print_letters(mailing, now=now)
    cancel(mailing, now=now)
    undo_batch(batch, now=now)
    assert set(Message.objects.values_list("state", "withdrawn_because")) == {("withdrawn", "cancelled")}
    mailing.refresh_from_db()
    assert mailing.state == "cancelled"


def test_of_a_mailing_on_pause_a_pile_is_undone_and_printed_once_it_goes_on(
    start: Start, residents: list[Customer], now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.actions.letters.MOST_PER_BATCH", 1)
    mailing = start(channels="letter")
    batch = print_letters(mailing, now=now)
    pause(mailing, now=now)
    undo_batch(batch, now=now)
    resume(mailing, now=now)
    monkeypatch.setattr("mailings.actions.letters.MOST_PER_BATCH", 1000)
    assert print_letters(mailing, now=now).letter_count == 3


def test_a_part_is_printed_again_as_it_was_and_counts_once(
    start: Start, residents: list[Customer], now: dt.datetime, marketeer: Any
) -> None:
    batch = print_letters(start(channels="letter", letters_to="names"), now=now)
    first = texts(reprint(batch, first=1, last=1, by=marketeer, now=now + dt.timedelta(days=2)))
    with batch.file.open("rb") as file:
        assert first == texts(file.read())[:1]
    assert texts(reprint(batch, first=2, last=2, now=now))[0].count("Carla")
    batch.refresh_from_db()
    assert batch.reprint_count == 2
    assert Message.objects.filter(sent_at=now, attempts=1).count() == 3


@pytest.mark.parametrize(("first", "last"), [(0, 1), (2, 1), (1, 3)])
def test_only_letters_that_are_in_the_pile_are_printed_again(
    start: Start, residents: list[Customer], now: dt.datetime, first: int, last: int
) -> None:
    batch = print_letters(start(channels="letter", letters_to="names"), now=now)
    with pytest.raises(Refused) as refused:
        reprint(batch, first=first, last=last, now=now)
    assert refused.value.code == "range"


def test_who_objected_since_is_not_printed_again(
    start: Start, residents: list[Customer], marketing: Purpose, now: dt.datetime
) -> None:
    batch = print_letters(start(channels="letter", letters_to="names"), now=now)
    for one in (residents[0], residents[2]):
        record_consent(
            one, purpose=marketing, channel="post", state="objected", source_code="counter", actor="x", event_at=now
        )
    [page] = texts(reprint(batch, now=now))
    assert "Bas" in page
    assert "Fatima" not in page
    with pytest.raises(Refused) as refused:
        reprint(batch, first=2, last=2, now=now)
    assert refused.value.code == "nobody"


def test_labels_are_for_the_same_envelopes(start: Start, residents: list[Customer], now: dt.datetime) -> None:
    batch = print_letters(start(channels="letter", letters_to="family"), now=now)
    found = addresses_of(batch, places_of(batch, now=now))
    assert [lines[0].split()[0] for lines in found] == ["Familie", "Carla"]
    assert [lines[-1][:7] for lines in found] == ["1111 AA", "2222 BB"]


def test_what_waits_is_counted_in_envelopes(start: Start, residents: list[Customer], now: dt.datetime) -> None:
    assert count_waiting(start(channels="letter")) == 3
    shared = start(channels="letter", letters_to="residents")
    assert count_waiting(shared) == 2
    print_letters(shared, now=now)
    assert count_waiting(shared) == 0


@pytest.mark.parametrize("letters_to", ["person", "names"])
@pytest.mark.parametrize("seed", range(3))
def test_as_many_envelopes_are_told_beforehand_as_are_printed_wherever_a_household_lives(
    start: Start, marketing: Purpose, now: dt.datetime, letters_to: str, seed: int
) -> None:
    chance = random.Random(seed)
    homes = [HouseholdFactory() for _ in range(3)]
    for number in range(30):  # a home of many among them
        CustomerFactory(
            email="",
            household=homes[0] if number < 10 else chance.choice([*homes[1:], None]),
            postal_code=chance.choice(["1111AA", "1111AB", "9000"]),
            house_number=chance.choice(["3", " 3", "3a", "03"]),
            house_number_addition=chance.choice(["", "A", "a"]),
        )
    people = Customer.objects.exclude(household=homes[0]) if seed else Customer.objects.all()
    told = preview_with_letters(Terms(marketing, "letter", letters_to=letters_to), candidates=people, now=now)[1]
    mailing = start(*people, channels="letter", letters_to=letters_to)
    numbers = {place.number for place in waiting_places(mailing, most=100)}
    assert told == count_waiting(mailing) == len(numbers) == max(numbers)


def test_a_pile_of_many_letters_is_several_pdfs_in_the_order_of_the_post(
    start: Start, residents: list[Customer], now: dt.datetime, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    monkeypatch.setattr("mailings.piles.LETTERS_PER_PDF", 2)
    monkeypatch.setattr("mailings.actions.batches.LETTERS_PER_PDF", 2)
    for name, code in (("Dirk", "3333CC"), ("Eva", "4444DD"), ("Finn", "5555EE")):
        CustomerFactory(first_name=name, email="", postal_code=code)
    mailing = start(channels="letter", letters_to="names")
    batch = print_letters(mailing, now=now)
    assert (batch.letter_count, batch.printed.count(), batch.file_type) == (5, 6, "application/zip")
    with batch.file.open("rb") as file, ZipFile(file) as parts:
        assert parts.testzip() is None
        assert parts.namelist() == ["brieven-0001-0002.pdf", "brieven-0003-0004.pdf", "brieven-0005-0005.pdf"]
        pages = [page for name in parts.namelist() for page in texts(parts.read(name))]
    assert [letter_code(batch.pk, number) in page for number, page in enumerate(pages, 1)] == [True] * 5
    names = ["Bas", "Carla", "Dirk", "Eva", "Finn"]
    assert [name in page for name, page in zip(names, pages, strict=True)] == [True] * 5
    assert texts(reprint(batch, first=4, last=5, now=now)) == pages[3:]
    assert texts(reprint(batch, first=2, now=now)) == pages[1:3]
    with pytest.raises(Refused) as refused:
        reprint(batch, first=1, last=3, now=now)
    assert refused.value.code == "too_many"
    place = batch.file.name or ""
    with django_capture_on_commit_callbacks(execute=True):
        assert undo_batch(batch, now=now) == 6
    assert not default_storage.exists(place)


@pytest.mark.parametrize(("letters_to", "letters"), [("person", 3), ("names", 2)])
def test_before_sending_it_is_known_how_many_letters_there_will_be(
    marketing: Purpose, residents: list[Customer], now: dt.datetime, letters_to: str, letters: int
) -> None:
    everybody = Customer.objects.all()
    terms = Terms(marketing, "letter", letters_to=letters_to)
    counts = preview(terms, candidates=everybody, now=now)
    assert preview_with_letters(terms, candidates=everybody, now=now) == (counts, letters)
    by_mail = Terms(marketing, "email", letters_to=letters_to)
    assert preview_with_letters(by_mail, candidates=everybody, now=now)[1] == 0


def test_letters_printed_before_there_were_numbers_have_one(
    start: Start, residents: list[Customer], now: dt.datetime
) -> None:
    from importlib import import_module

    from common.sql import execute

    batch = print_letters(start(channels="letter"), now=now)
    PrintedLetter.objects.all().delete()
    execute(import_module("mailings.migrations.0023_letters_to_households").EARLIER)
    assert sorted(PrintedLetter.objects.values_list("batch", "number")) == [(batch.pk, 1), (batch.pk, 2), (batch.pk, 3)]
    assert LetterBatch.objects.count() == 1
