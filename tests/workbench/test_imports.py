"""The pages about imports: bringing a file in, following it, and what was refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from customers.imports import FORMATS
from customers.models import Branch, ImportRun, Source
from customers.tasks import run_waiting_imports
from tests.factories import NOW, BranchFactory, CustomerFactory, FactFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def desk(marketeer: User, client_of: Callable[[User], Client]) -> Client:
    return client_of(marketeer)


def upload(client: Client, content: bytes | str, kind: str = "branches", **fields: str) -> Any:
    data = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("vestigingen.csv", data, "text/csv")
    return client.post("/imports/new/", {"format": kind, "source": "library", "file": file, **fields})


def text(page: Any) -> str:
    return str(page.content.decode())


@pytest.fixture
def done(desk: Client) -> ImportRun:
    upload(desk, "code;naam\nPUR;Purmerend\n?;Fout\n=1+1;Rekenfout\n")
    run_waiting_imports()
    return ImportRun.objects.get()


def test_a_file_is_put_in_line_and_followed(desk: Client, marketeer: User) -> None:
    answer = upload(desk, "code;naam\nPUR;Purmerend\n")
    run = ImportRun.objects.get()
    assert answer["Location"] == f"/imports/{run.pk}/"
    assert (run.state, run.started_by, run.source.code) == ("waiting", marketeer, "library")
    page = text(desk.get(f"/imports/{run.pk}/"))
    assert f'hx-get="/imports/{run.pk}/progress/"' in page
    assert "Wacht op zijn beurt" in text(desk.get(f"/imports/{run.pk}/progress/"))


def test_progress_shows_how_far_it_is_and_reloads_the_page_at_the_end(desk: Client) -> None:
    upload(desk, "code;naam\nPUR;Purmerend\n")
    run = ImportRun.objects.get()
    ImportRun.objects.update(state="running", percent=32)
    page = text(desk.get(f"/imports/{run.pk}/progress/"))
    assert "Bestand lezen" in page
    assert "32%" in page
    ImportRun.objects.update(percent=60)
    assert "Controleren en wegschrijven" in text(desk.get(f"/imports/{run.pk}/progress/"))
    ImportRun.objects.update(needs_approval=True)
    assert "Uitproberen wat het verandert" in text(desk.get(f"/imports/{run.pk}/progress/"))
    ImportRun.objects.update(state="undoing", percent=71)
    page = text(desk.get(f"/imports/{run.pk}/progress/"))
    assert "Terugdraaien" in page
    assert "71%" in page
    ImportRun.objects.update(state="done")
    assert desk.get(f"/imports/{run.pk}/progress/")["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04 a workbook", "oud of beveiligd Excel-bestand"),
        (b"%PDF-1.7", "geen tekstbestand"),
        ("", "Het bestand is leeg"),
        ("\n\n", "Het bestand is leeg"),
        ("klantnummer;naam\n1;x\n", "Deze kolommen ontbreken: code."),
        ("hallo\n", "niet de kopregel"),
    ],
)
def test_a_file_that_is_not_of_the_format_comes_back_with_what_to_do(
    desk: Client, content: bytes | str, words: str
) -> None:
    answer = upload(desk, content)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("source", ["mijnmenu", "counter", "vouchers", "gossip"])
def test_a_file_does_not_come_from_people_or_from_ourselves(desk: Client, source: str) -> None:
    Source.objects.get_or_create(code="vouchers")
    assert upload(desk, "code;naam\nPUR;Purmerend\n", source=source).status_code == 422


def test_the_page_of_a_run_tells_what_happened(desk: Client, done: ImportRun) -> None:
    page = text(desk.get(f"/imports/{done.pk}/"))
    assert Branch.objects.count() == 1
    assert "vestigingen.csv" in page
    assert "Een code bestaat alleen uit letters" in page
    assert "hx-get" not in page.split('id="results"')[0].split("page-head")[1]


def test_a_run_without_errors_says_so(desk: Client) -> None:
    upload(desk, "code;naam\nPUR;Purmerend\n")
    run_waiting_imports()
    page = text(desk.get(f"/imports/{ImportRun.objects.get().pk}/"))
    assert "Alle rijen waren goed" in page
    assert "refused.csv" not in page


def test_a_file_with_only_a_header_does_not_look_like_a_good_delivery(desk: Client) -> None:
    upload(desk, "code;naam\n")
    run_waiting_imports()
    page = text(desk.get(f"/imports/{ImportRun.objects.get().pk}/"))
    assert "Er staan geen rijen in het bestand" in page
    assert "Alle rijen waren goed" not in page


def test_a_refused_file_says_why(desk: Client) -> None:
    upload(desk, "code;naam\nPUR;Purmerend\n")
    ImportRun.objects.update(state="refused", refusal="Daarom niet.")
    assert "Daarom niet." in text(desk.get(f"/imports/{ImportRun.objects.get().pk}/"))


def test_refused_rows_are_told_in_the_language_of_the_reader(desk: Client, done: ImportRun) -> None:
    assert "Een code bestaat alleen uit letters" in text(desk.get(f"/imports/{done.pk}/"))
    desk.post(reverse("set_language"), {"language": "en"})
    assert "A code holds letters" in text(desk.get(f"/imports/{done.pk}/"))


def test_refused_rows_are_downloaded_without_formulas(desk: Client, done: ImportRun) -> None:
    answer = desk.get(f"/imports/{done.pk}/refused.csv")
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    lines = content.splitlines()
    assert lines[0] == "\ufeffRij;Kolom;Waarde;Wat er mis is, en wat te doen"
    assert lines[1].startswith("3;code;?;")
    assert lines[2].startswith("4;code;'=1+1;")
    assert "attachment" in answer["Content-Disposition"]


def test_errors_come_in_pages(desk: Client) -> None:
    upload(desk, "code;naam\n" + "".join(f"?{number};x\n" for number in range(120)))
    run_waiting_imports()
    run = ImportRun.objects.get()
    page = desk.get(f"/imports/{run.pk}/", {"page": 3}, headers={"HX-Request": "true"})
    assert text(page).count("<tr") == 21
    assert "<html" not in text(page)


def test_the_list_of_imports_takes_as_many_queries_for_fifty_as_for_one(
    desk: Client, done: ImportRun, django_assert_max_num_queries: Any
) -> None:
    source = Source.objects.get(code="library")
    ImportRun.objects.bulk_create(
        ImportRun(format="facts", source=source, file_name=f"{number}.csv", state="done", created_at=NOW)
        for number in range(60)
    )
    with django_assert_max_num_queries(6):
        page = desk.get("/imports/")
    assert "vestigingen.csv" in text(page)


def test_a_run_says_what_was_in_its_file(desk: Client) -> None:
    run = ImportRun.objects.create(
        format="facts", source=Source.objects.get(code="library"), file_name="f.csv", state="done", created_at=NOW
    )
    assert "Gebeurtenissen (uitleningen" in text(desk.get(f"/imports/{run.pk}/"))
    rows = text(desk.get("/imports/")).split("<tbody>")[1]
    assert ">Gebeurtenissen</td>" in rows


def test_imports_narrow_by_name_and_state(desk: Client, done: ImportRun) -> None:
    assert "vestigingen.csv" in text(desk.get("/imports/", {"q": "VESTIG", "state": "done"}))
    assert "vestigingen.csv" not in text(desk.get("/imports/", {"state": "waiting"}))


@pytest.mark.parametrize("code", [each.code for each in FORMATS])
def test_every_format_is_explained_with_an_example_that_is_read(desk: Client, code: str) -> None:
    page = text(desk.get("/imports/formats/"))
    assert f"/imports/formats/{code}.csv" in page
    for column in FORMATS[code].columns:
        assert column.name in page
    example = desk.get(f"/imports/formats/{code}.csv")
    answer = upload(desk, example.content, code)
    assert answer.status_code == 302, text(answer)


def test_a_format_that_does_not_exist_is_not_found(desk: Client) -> None:
    assert desk.get("/imports/formats/recipes.csv").status_code == 404


@pytest.mark.parametrize(
    "url", ["", "new/", "formats/", "formats/facts.csv", "{pk}/", "{pk}/progress/", "{pk}/refused.csv"]
)
def test_imports_are_for_who_may_run_them(
    counter_staff: User, client_of: Callable[[User], Client], done: ImportRun, url: str
) -> None:
    assert client_of(counter_staff).get(f"/imports/{url.format(pk=done.pk)}").status_code == 403


def test_a_trial_says_in_words_what_would_be_corrected(desk: Client) -> None:
    customer, source = CustomerFactory(number="1"), Source.objects.get(code="library")
    FactFactory(customer=customer, kind="ticket", source=source, external_id="O1", amount_cents=3000, occurred_at=NOW)
    BranchFactory(code="PUR", name="Purmerend")
    upload(desk, "id;klantnummer;soort;tijdstip;bedrag;vestiging\nO1;1;kaartverkoop;14-06-2026;15,00;PUR\n", "facts")
    ImportRun.objects.update(needs_approval=True)
    run_waiting_imports()
    page = text(desk.get(f"/imports/{ImportRun.objects.get().pk}/"))
    assert "<del>€\u00a030,00</del> → <ins>€\u00a015,00</ins>" in page
    assert "<ins>Purmerend</ins>" in page
    assert "<ins>14-06-2026 00:00</ins>" in page
    assert "amount_cents" not in page


def test_a_run_says_what_else_was_seen(desk: Client) -> None:
    run = ImportRun.objects.create(
        format="facts", source=Source.objects.get(code="library"), file_name="f.csv", state="done", created_at=NOW,
        remarks={"too_old": 1200},
    )  # fmt: skip
    assert "1.200: van vóór het moment" in text(desk.get(f"/imports/{run.pk}/"))


def test_a_refused_file_is_tried_again_once_its_cause_is_gone(desk: Client) -> None:
    upload(desk, "code;naam\nPUR;Purmerend\n")
    run, url = ImportRun.objects.get(), f"/imports/{ImportRun.objects.get().pk}/"
    ImportRun.objects.update(state="running", attempts=3)
    run_waiting_imports()
    assert f'action="{url}retry/"' in text(desk.get(url))
    assert desk.get(f"{url}retry/").status_code == 405
    assert not Branch.objects.exists()
    assert desk.post(f"{url}retry/").status_code == 302
    run_waiting_imports()
    run.refresh_from_db()
    assert (run.state, run.new_count, run.refusal) == ("done", 1, "")
    assert f"{url}retry/" not in text(desk.get(url))


def test_a_file_that_waits_for_its_turn_can_be_left_out(desk: Client) -> None:
    upload(desk, "code;naam\nPUR;Purmerend\n")
    url = f"/imports/{ImportRun.objects.get().pk}/"
    assert f'action="{url}cancel/"' in text(desk.get(url))
    assert desk.post(f"{url}cancel/").status_code == 302
    run_waiting_imports()
    assert ImportRun.objects.get().state == "cancelled"
    assert not Branch.objects.exists()
    ImportRun.objects.update(state="running", attempts=1)
    assert "cancel/" not in text(desk.get(url))
