import datetime as dt
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pypdf import PdfReader

from common.errors import Refused
from common.sql import execute
from customers.consents import record_consent
from customers.models import Customer, Purpose
from mailings import letters
from mailings.actions import cancel, pause, print_letters
from mailings.letters import fetch_own, letters_html
from mailings.models import LetterBatch, Mailing, Message
from mailings.piles import write_pile
from tests.factories import CustomerFactory, DefinitionFactory
from tests.mailings.conftest import BUTTON, TEXT
from vouchers import codes, drawings
from vouchers.models import Voucher

pytestmark = pytest.mark.django_db

Start = Callable[..., Mailing]


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def erase(mailing: Mailing, *, now: dt.datetime) -> None:
    """Somebody's message goes, as when he is erased."""
    Message.objects.filter(pk=mailing.messages.values("pk")[:1]).delete()


def withdraw(mailing: Mailing, *, now: dt.datetime) -> None:
    Message.objects.filter(pk=mailing.messages.values("pk")[:1]).update(state="withdrawn")


def resident(**fields: Any) -> Customer:
    made: Customer = CustomerFactory(email="", **fields)
    return made


def pages(batch: LetterBatch) -> list[str]:
    with batch.file.open("rb") as file:
        return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(file.read())).pages]


def test_each_letter_is_a_page_in_the_order_of_postal_codes(start: Start, now: dt.datetime) -> None:
    resident(first_name="Ciska", postal_code="1442CC")
    resident(
        first_name="Anna",
        last_name="de Wit",
        postal_code="1141AA",
        street="Kerkpad",
        house_number="3",
        city="Monnickendam",
    )
    resident(first_name="Bas", postal_code="1441BB")
    mailing = start(channels="email_or_letter")
    batch = print_letters(mailing, now=now)
    found = pages(batch)
    assert [name for page in found for name in ("Anna", "Bas", "Ciska") if f"Dag {name}" in page] == [
        "Anna",
        "Bas",
        "Ciska",
    ]
    assert "Anna de Wit Kerkpad 3 1141 AA Monnickendam" in found[0]
    assert "Bibliotheek Waterland" in found[0]
    assert "Postbus 12, 1440 AA Purmerend" in found[0]
    assert "15 juni 2026" in found[0]
    assert "https://www.example.nl/agenda?a=1&b=2" in found[0]
    assert (batch.letter_count, len(found)) == (3, 3)


def test_printed_letters_are_sent_and_finish_the_mailing(start: Start, now: dt.datetime) -> None:
    resident(), resident()
    mailing = start(channels="letter")
    print_letters(mailing, now=now)
    assert set(Message.objects.values_list("state", "sent_at")) == {("sent", now)}
    mailing.refresh_from_db()
    assert mailing.state == "finished"
    with pytest.raises(Refused) as refused:
        print_letters(mailing, now=now)
    assert refused.value.code == "no_letters"


def test_letters_are_kept_or_not_sent(start: Start, now: dt.datetime, settings: Any, tmp_path: Path) -> None:
    resident()
    mailing = start(channels="letter")
    settings.MEDIA_ROOT = tmp_path / "file"
    settings.MEDIA_ROOT.write_text("where the folder of letters should be")
    with pytest.raises(OSError, match="irectory"):
        print_letters(mailing, now=now)
    assert Message.objects.get().state == "queued"
    assert not LetterBatch.objects.exists()


def test_a_voucher_stands_on_paper_with_code_and_drawings(
    start: Start, make_content: Any, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []  # looked at in passing: from a PDF no drawing can be read back

    def spy(*args: Any, **options: Any) -> str:
        written.append(letters_html(*args, **options))
        return written[-1]

    monkeypatch.setattr(letters, "letters_html", spy)
    customer = resident()
    content = make_content(TEXT, {"type": "voucher", "data": {"definition": DefinitionFactory().pk}})
    batch = print_letters(start(channels="letter", content=content), now=now)
    code = Voucher.objects.get(customer=customer).code
    [page] = pages(batch)
    assert codes.group(code) in page
    assert drawings.qr_svg(code) in written[0]
    assert drawings.barcode_svg(code) in written[0]


def test_a_block_for_an_audience_is_left_out_for_others(start: Start, make_content: Any, now: dt.datetime) -> None:
    from labels.actions import create_label, give_label

    family, other = resident(postal_code="1111AA"), resident(postal_code="2222BB")
    label = create_label(code="gezin", name="Gezin", kind="own", by=None, now=now)
    give_label(label, Customer.objects.filter(pk=family.pk), by="test", now=now)
    audience = {"kind": "label", "id": label.pk}
    content = make_content(TEXT, {"type": "heading", "data": {"text": "Voorlezen"}, "audience": audience})
    first, second = pages(print_letters(start(family, other, channels="letter", content=content), now=now))
    assert "Voorlezen" in first
    assert "Voorlezen" not in second


def test_who_objected_after_the_gate_gets_no_letter(start: Start, marketing: Purpose, now: dt.datetime) -> None:
    stays, objects = resident(), resident()
    mailing = start(channels="letter")
    record_consent(
        objects, purpose=marketing, channel="post", state="objected", source_code="counter", actor="test", event_at=now
    )
    assert print_letters(mailing, now=now).letter_count == 1
    assert dict(Message.objects.values_list("customer", "state")) == {stays.pk: "sent", objects.pk: "withdrawn"}


def test_on_pause_nothing_is_printed(start: Start, now: dt.datetime) -> None:
    resident()
    mailing = start(channels="letter")
    pause(mailing, now=now)
    with pytest.raises(Refused) as refused:
        print_letters(mailing, now=now)
    assert refused.value.code == "wrong_state"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("stop", "code"), [(pause, "wrong_state"), (cancel, "wrong_state"), (erase, "changed"), (withdraw, "changed")]
)
def test_who_stops_it_while_letters_are_laid_out_waits_for_nothing_and_none_is_printed(
    start: Start, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stop: Any, code: str
) -> None:
    resident(), resident()
    mailing = start(channels="letter")

    def stop_elsewhere() -> None:
        try:
            execute("SET lock_timeout = '10s'")
            stop(mailing, now=now)
        finally:
            connection.close()

    def interrupted(*given: Any) -> str:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(stop_elsewhere).result(timeout=60)
        return write_pile(*given)

    monkeypatch.setattr("mailings.actions.letters.write_pile", interrupted)
    with pytest.raises(Refused) as refused:
        print_letters(mailing, now=now)
    assert refused.value.code == code
    assert not mailing.messages.filter(state="sent").exists()
    assert not LetterBatch.objects.exists()
    assert not list(tmp_path.glob("letters/**/*.*"))


def test_a_pile_is_at_most_what_fits_and_the_next_follows(
    start: Start, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailings.actions.letters.MOST_PER_BATCH", 2)  # a thousand and one letters take minutes
    for _ in range(3):
        resident()
    mailing = start(channels="letter")
    assert [print_letters(mailing, now=now).letter_count for _ in range(2)] == [2, 1]


@pytest.mark.parametrize("text", ["<script>x</script>", "Zoë & <b>co</b>", "{{ x", '"><img src="file:///etc/passwd">'])
def test_hostile_names_are_plain_text_on_paper(start: Start, now: dt.datetime, text: str) -> None:
    resident(first_name=text[:80])
    [page] = pages(print_letters(start(channels="letter", content=None), now=now))
    assert f"Dag {' '.join(text.split())}," in page


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://127.0.0.1/", "https://example.nl/x.png", "font:../../manage.py", "data:,x"],
)
def test_nothing_is_fetched_from_elsewhere(address: str) -> None:
    with pytest.raises(ValueError, match="elsewhere"):
        fetch_own(address)


def test_letters_are_accessible_and_carry_their_fonts(start: Start, make_content: Any, now: dt.datetime) -> None:
    resident()
    batch = print_letters(start(channels="letter", content=make_content(TEXT, BUTTON)), now=now)
    with batch.file.open("rb") as file:
        reader = PdfReader(io.BytesIO(file.read()))
    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "nl"
    assert root["/MarkInfo"]["/Marked"]
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]
    assert all("/FontFile2" in one or "/FontFile3" in one for one in descriptors)
    assert any("Inter" in str(font["/BaseFont"]) for font in fonts)
