import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.utils.translation import override
from pypdf import PdfReader

from customers.consents import record_consent
from customers.models import Customer, Household, Purpose
from mailings.actions import print_letters
from mailings.households import MOST_AT_HOME, address_of, joined, values_of_all
from mailings.letter_codes import letter_code, read_letter_code
from mailings.letters import Letter, Reader, letters_html
from mailings.models import Decision, LetterBatch, Mailing, Message, PrintedLetter, SendingSettings
from tests.factories import CustomerFactory, DefinitionFactory, HouseholdFactory
from tests.mailings.conftest import TEXT
from vouchers import codes
from vouchers.models import Voucher

Start = Callable[..., Mailing]

NAMES, FAMILY, RESIDENTS = Mailing.LettersTo.NAMES, Mailing.LettersTo.FAMILY, Mailing.LettersTo.RESIDENTS


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def person(first: str, last: str = "Vries", prefix: str = "de", **fields: Any) -> Customer:
    """Make somebody who is in no table."""
    home = {"street": "Kerkpad", "house_number": "3", "postal_code": "1441AB", "city": "Edam"}
    return Customer(first_name=first, last_name=last, name_prefix=prefix, **{**home, **fields})


@pytest.fixture
def home(db: None) -> Callable[..., Customer]:
    """Give somebody who lives at Kerkpad 3; the first one asked for is the oldest."""
    where: list[Household] = []

    def make(first: str, **fields: Any) -> Customer:
        where.extend([] if where else [HouseholdFactory(key="1441AB|3|")])
        born = dt.date(1960 + Customer.objects.count(), 1, 1)
        given = {
            "last_name": "Vries", "name_prefix": "de", "household": where[0], "street": "Kerkpad", "house_number": "3",
            "postal_code": "1441AB", "city": "Edam", "birth_date": born, "email": "",
        }  # fmt: skip
        made: Customer = CustomerFactory(first_name=first, **{**given, **fields})
        return made

    return make


def pages(batch: LetterBatch) -> list[str]:
    with batch.file.open("rb") as file:
        return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(file.read())).pages]


@override("nl")
def test_the_window_names_everybody_under_his_surname() -> None:
    people = [person("Fatima"), person("Bas"), person("Jan", "Jansen", ""), person("Anna")]
    street = ["Kerkpad 3", "1441 AB  Edam"]
    assert address_of(people, NAMES) == ["Fatima, Bas en Anna de Vries", "Jan Jansen", *street]
    assert address_of(people, FAMILY) == ["Familie De Vries en Jansen", *street]
    assert address_of(people, RESIDENTS) == ["Aan de bewoners van dit adres", *street]
    assert address_of(people[:1], FAMILY) == ["Fatima de Vries", *street]
    assert address_of(people[:1], RESIDENTS) == ["Aan de bewoners van dit adres", *street]


@override("nl")
def test_who_has_no_surname_or_no_first_name_is_still_named() -> None:
    assert address_of([person("Bo", "", ""), person("", "Vries", "de", initials="A.")], NAMES)[:2] == [
        "Bo",
        "A. de Vries",
    ]
    assert address_of([person("Bo", "", ""), person("Al", "", "")], FAMILY)[0] == "Bo en Al"


@override("nl")
def test_fields_say_what_holds_for_all() -> None:
    people = [person("Fatima"), person("Bas")]
    values = [
        {"first_name": "Fatima", "salutation": "mevrouw De Vries", "city": "Edam", "age": "60", "voucher:1:code": "A"},
        {"first_name": "Bas", "salutation": "meneer De Vries", "city": "Edam", "age": "59", "voucher:1:code": "B"},
    ]
    assert values_of_all(people, values, NAMES) == {
        "city": "Edam",
        "first_name": "Fatima en Bas",
        "full_name": "Fatima en Bas de Vries",
        "salutation": "mevrouw De Vries en meneer De Vries",
    }
    assert values_of_all(people, values, FAMILY)["salutation"] == "familie De Vries"
    assert values_of_all(people, values, RESIDENTS) == {
        "city": "Edam", "first_name": "bewoners", "full_name": "bewoners", "salutation": "bewoners",
    }  # fmt: skip
    assert values_of_all(people[:1], values[:1], NAMES) == values[0]


@override("nl")
def test_words_are_joined_as_people_do() -> None:
    assert [joined(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a en b", "a, b en c"]


@pytest.mark.django_db
def test_a_household_gets_one_letter(start: Start, home: Any, now: dt.datetime) -> None:
    home("Fatima"), home("Bas"), home("Anna", house_number="5", household=None)
    batch = print_letters(start(channels="letter", letters_to=NAMES), now=now)
    first, second = pages(batch)
    assert "Fatima en Bas de Vries Kerkpad 3 1441 AB Edam" in first
    assert "Dag Fatima en Bas, er is iets te doen" in first
    assert "Anna de Vries Kerkpad 5" in second
    assert batch.letter_count == 2
    found = PrintedLetter.objects.order_by("number", "id").values_list("number", "message__customer__first_name")
    assert list(found) == [(1, "Fatima"), (1, "Bas"), (2, "Anna")]
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


@pytest.mark.django_db
def test_each_their_own_is_what_happens_unasked(start: Start, home: Any, now: dt.datetime) -> None:
    home("Fatima"), home("Bas")
    assert print_letters(start(channels="letter"), now=now).letter_count == 2


@pytest.mark.django_db
def test_who_said_no_is_not_named(start: Start, home: Any, marketing: Purpose, now: dt.datetime) -> None:
    home("Fatima"), home("Carla")
    objects = home("Bas")
    record_consent(
        objects, purpose=marketing, channel="post", state="objected", source_code="counter", actor="test", event_at=now
    )
    mailing = start(channels="letter", letters_to=NAMES)
    assert Decision.objects.get(customer=objects).outcome == "objection"
    [page] = pages(print_letters(mailing, now=now))
    assert "Fatima en Carla de Vries" in page
    assert "Bas" not in page


@pytest.mark.django_db
def test_everybody_keeps_a_voucher_of_his_own(start: Start, home: Any, make_content: Any, now: dt.datetime) -> None:
    people = [home("Fatima"), home("Bas")]
    content = make_content(TEXT, {"type": "voucher", "data": {"definition": DefinitionFactory().pk}})
    batch = print_letters(start(channels="letter", letters_to=FAMILY, content=content), now=now)
    text = " ".join(pages(batch))
    assert batch.letter_count == 1
    for one in people:
        code = codes.group(Voucher.objects.get(customer=one).code)
        assert f"Voor {one.first_name} de Vries" in text
        assert text.index(f"Voor {one.first_name}") < text.index(code)
    assert text.count("er is iets te doen") == 1


@pytest.mark.django_db
def test_a_block_for_one_of_them_stands_there_and_his_voucher_for_him_alone(
    start: Start, home: Any, make_content: Any, now: dt.datetime
) -> None:
    from labels.actions import create_label, give_label

    first, second = home("Fatima"), home("Bas")
    label = create_label(code="gezin", name="Gezin", kind="own", by=None, now=now)
    give_label(label, Customer.objects.filter(pk=first.pk), by="test", now=now)
    audience = {"kind": "label", "id": label.pk}
    content = make_content(
        TEXT,
        {"type": "heading", "data": {"text": "Voorlezen"}, "audience": audience},
        {"type": "voucher", "data": {"definition": DefinitionFactory().pk}, "audience": audience},
    )
    text = " ".join(pages(print_letters(start(channels="letter", letters_to=NAMES, content=content), now=now)))
    assert "Voorlezen" in text
    assert "Voor Fatima de Vries" in text
    assert "Voor Bas" not in text
    assert not Voucher.objects.filter(customer=second).exists()


@pytest.mark.django_db
@pytest.mark.parametrize("letters_to", [NAMES, Mailing.LettersTo.PERSON])
def test_what_is_for_who_belongs_to_two_audiences_is_for_one_person_in_both(
    start: Start, home: Any, make_content: Any, now: dt.datetime, letters_to: str
) -> None:
    from labels.actions import create_label, give_label

    both, one, other = home("Fatima"), home("Bas"), home("Carla", household=None, house_number="9")
    outer, inner = (create_label(code=code, name=code, kind="own", by=None, now=now) for code in ("buiten", "binnen"))
    give_label(outer, Customer.objects.filter(pk__in=[both.pk, one.pk]), by="test", now=now)
    give_label(inner, Customer.objects.filter(pk__in=[both.pk, other.pk]), by="test", now=now)
    nested = {"type": "text", "data": {"text": "<p>Koffie voor u</p>"}, "audience": {"kind": "label", "id": inner.pk}}
    columns = {
        "type": "columns",
        "data": {"layout": "1-1", "columns": [[{"type": "text", "data": {"text": "<p>Rondleiding</p>"}}], [nested]]},
        "audience": {"kind": "label", "id": outer.pk},
    }
    content = make_content(TEXT, columns)
    letters = pages(print_letters(start(channels="letter", letters_to=letters_to, content=content), now=now))
    told = {"Rondleiding" in page: "Koffie" in page for page in letters if "Fatima" in page or "Carla" in page}
    assert told == {True: True, False: False}
    alone = [page for page in letters if "Bas" in page and "Fatima" not in page]
    assert len(alone) == (1 if letters_to == Mailing.LettersTo.PERSON else 0)
    assert not any("Koffie" in page for page in alone)


@pytest.mark.django_db
def test_two_who_belong_to_one_audience_each_do_not_make_one_who_belongs_to_both() -> None:
    compiled: dict[str, Any] = {"letter": [["label:1+label:2", ["Koffie"]]], "look": None, "styles": {}}
    readers = [Reader(name, frozenset([key]), {}) for name, key in (("Fatima", "label:1"), ("Bas", "label:2"))]
    shared = Letter(["Kerkpad 3"], frozenset(["label:1", "label:2"]), {}, readers=readers)
    alone = Letter(["Kerkpad 3"], frozenset(["label:1", "label:2"]), {})
    told = [
        "Koffie" in letters_html([one], compiled=compiled, identity=SendingSettings.load(), now=dt.datetime.now(dt.UTC))
        for one in (shared, alone)
    ]
    assert told == [False, True]


@pytest.mark.django_db
def test_a_home_of_many_is_no_household(start: Start, home: Any, now: dt.datetime) -> None:
    for number in range(MOST_AT_HOME + 1):
        home(f"Bewoner{number}")
    assert print_letters(start(channels="letter", letters_to=NAMES), now=now).letter_count == MOST_AT_HOME + 1


@pytest.mark.django_db
def test_a_household_is_never_torn_apart_by_the_end_of_a_pile(
    start: Start, home: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.actions.letters.MOST_PER_BATCH", 1)
    home("Fatima"), home("Bas"), home("Anna", household=None, house_number="20")
    mailing = start(channels="letter", letters_to=NAMES)
    found = [print_letters(mailing, now=now + dt.timedelta(seconds=number)) for number in range(2)]
    assert [[one.printed.count(), one.letter_count] for one in found] == [[2, 1], [1, 1]]


@pytest.mark.django_db
def test_letters_are_in_the_order_of_the_street_and_abroad_comes_last(start: Start, now: dt.datetime) -> None:
    for name, code, number in [
        ("Buiten", "9000", "1"), ("Tien", "1441AB", "10"), ("Twee", "1441AB", "2"), ("Eerst", "1011AA", "300"),
    ]:  # fmt: skip
        CustomerFactory(first_name=name, postal_code=code, house_number=number, email="")
    found = pages(print_letters(start(channels="letter"), now=now))
    assert [next(name for name in ("Buiten", "Tien", "Twee", "Eerst") if f"Dag {name}" in page) for page in found] == [
        "Eerst", "Twee", "Tien", "Buiten",
    ]  # fmt: skip


@pytest.mark.django_db
def test_each_letter_carries_a_code_that_says_which_it_is(start: Start, now: dt.datetime) -> None:
    CustomerFactory(email="", postal_code="1111AA"), CustomerFactory(email="", postal_code="2222BB")
    batch = print_letters(start(channels="letter"), now=now)
    for number, page in enumerate(pages(batch), 1):
        assert letter_code(batch.pk, number) in page


def test_a_code_is_read_as_it_is_typed_and_a_slip_is_none() -> None:
    code = letter_code(12, 345)
    assert read_letter_code(f" {code.lower().replace('-', ' ')} ") == (12, 345, 0)
    assert read_letter_code(letter_code(12, 345, 2)) == (12, 345, 2)
    assert read_letter_code(letter_code(12, 345, 2).replace("R2", "R3")) is None
    assert read_letter_code("2000123456") is None
    for place, sign in enumerate(code):
        if sign.isdigit():
            for other in "0123456789".replace(sign, ""):
                assert read_letter_code(code[:place] + other + code[place + 1 :]) is None
