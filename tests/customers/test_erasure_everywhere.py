"""Erasure, by every way in: files, folders, the API, the workbench, MijnMenu, newsletters, websites, lists, letters.

Then every column of every table, every file and every key of Redis is read.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from rest_framework.test import APIClient

from common.actions import add_integration
from common.errors import Refused
from common.personal import PersonalTable, personal_tables
from common.sql import execute, rows
from common.time import clock
from common.tokens import make_token
from customers.actions import ensure_base_data, run_import, upload_import
from customers.actions.feeds import look_for_files, save_feed
from customers.actions.guardians import add_guardian, end_guardian
from customers.actions.privacy import erase_customer, make_waiting_copies
from customers.actions.privacy.copies import request_access
from customers.consents import record_consent
from customers.models import ContactPoint, Customer, CustomerChange, Erasure, ImportError, ImportRun, Purpose  # noqa: A004
from customers.privacy import keys
from labels.actions import create_label, set_rule
from labels.models import Label
from mailings.actions import change_sending_settings, run_publication, save_publication, suppress_address
from mijnmenu.actions import ask_for_link
from newsletter.actions import create_newsletter
from selections.actions import create_selection, keep_selection
from selections.models import Selection
from selections.rules import parse_rule
from tests.customers.test_erasure import PAST, dump
from tests.factories import CustomerFactory, SourceFactory, confirm_relations
from tests.selections.test_rules import rule
from vouchers.actions import redeem
from website.actions import add_site
from website.sites import forget_sites
from website.tokens import make_web_token

REQUEST = Erasure.Ground.REQUEST
HEADER = (
    "klantnummer;pasnummer;voorletters;voornaam;tussenvoegsel;achternaam;geboortedatum;straat;huisnummer;toevoeging;"
    "postcode;plaats;email;telefoon;soort"
)
ROW = (
    "Kanarie1;29001987654321;KV.;KanarieVoor;kanarievan;KanarieAchter;07-03-1931;Kanariestraat;12;kanarie3;9876 QK;"
    "Kanariestad;kanarie4@kanarie.example;06-87651234;lid"
)
OTHER = "200002;;;Piet;;Jansen;01-02-1970;Kerkstraat;1;;1441 AB;Purmerend;piet@example.nl;;lid"
EARLIER = {"email": "eerder@example.nl", "telefoon": "0611111111"}
#: Columns by which rows of other tables are found.
LINKS = {
    ("customers_contactpoint", "value"),
    ("customers_customer", "card_number"),
    ("website_identification", "visit"),
    ("customers_customer", "number"),
}
#: Fits in the shortest column, and is too long to come up by chance in what is compressed, signed or random.
SHORT = "kzqxj"
WORDS = ("kanarie", "29001987654321", "687651234", "9876qk", "9876 qk", "1931-03-07", "07-03-1931")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_house(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.IMPORT_FOLDER = tmp_path / "media", tmp_path / "imports"
    settings.PUBLICATION_FOLDER, settings.ERASURE_JOURNAL = tmp_path / "lists", tmp_path / "journal" / "erased.jsonl"
    redis.Redis.from_url(settings.REDIS_URL).flushdb()  # its own: others are of tests that run beside this one
    ensure_base_data()
    confirm_relations()
    change_sending_settings(
        organisation="Bibliotheek Waterland",
        postal_address="Postbus 12, 1440 AA Purmerend",
        sender_name="Bibliotheek Waterland",
        sender_email="post@waterland.example",
    )


def everything(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Yield (place, text in lower case): tables, bytea and sessions read too, files with their names, Redis."""
    yield from ((table, text) for table, text in dump() if table != "public.django_session")  # read below, decoded
    columns = rows(
        """
        SELECT format('%I.%I', table_schema, table_name) AS name, quote_ident(column_name) AS column
        FROM information_schema.columns WHERE data_type = 'bytea' AND table_schema = 'public'
        """
    )
    for one in columns:
        found = rows(f"SELECT encode({one['column']}, 'escape') AS text FROM {one['name']}")  # noqa: S608
        yield f"{one['name']}.{one['column']}", " ".join(row["text"] or "" for row in found)
    for session in Session.objects.all():
        yield "session", json.dumps(session.get_decoded())
    for path in tmp_path.rglob("*"):
        if path.is_file():
            yield str(path), path.name + path.read_bytes().decode("latin-1")
    server = redis.Redis.from_url(settings.REDIS_URL)
    for key in server.scan_iter(count=1000):
        dumped = server.dump(key) or b""
        yield "redis", key.decode("latin-1") + dumped.decode("latin-1")


def _around(text: str, word: str) -> str:
    at = text.index(word)
    return text[max(0, at - 60) : at + 60]


def found(tmp_path: Path, words: tuple[str, ...] = WORDS) -> list[tuple[str, str, str]]:
    places = [(name, text.lower()) for name, text in everything(tmp_path)]
    return sorted({(name, word, _around(text, word)) for name, text in places for word in words if word in text})


def take_in(kind: str, *lines: str, now: dt.datetime) -> ImportRun:
    file = io.BytesIO("\n".join([*lines, ""]).encode())
    run = upload_import(format=kind, source_code="library", file=file, file_name=f"{kind}.csv", by=None, now=now)
    return run_import(run, now=now)


def _by_files(now: dt.datetime) -> Customer:
    """Files of every format, with rows that are refused and values that change."""
    assert take_in("customers", HEADER, ROW, OTHER, now=now).new_count == 2
    assert take_in("customers", HEADER, ROW.replace("kanarie4@", "kanarie5@"), now=now).changed_count == 1
    wrong = ROW.replace("kanarie4@kanarie.example", "kanarie@@fout").replace("07-03-1931", "31-02-kanarie")
    assert take_in("customers", HEADER, wrong, now=now).refused_count == 1
    take_in("customers", HEADER, ROW.replace(";lid", ";kanariesoort").replace("Kanarie1", "Kanarie99"), now=now)
    for kind, *lines in (
        (
            "subscriptions",
            "abonnementnummer;klantnummer;soort;omschrijving;prijs;begindatum;einddatum;betaalwijze",
            "kanarie6;Kanarie1;vol;kanarie6;58,00;2020-01-01;;incasso",
        ),
        (
            "facts",
            "id;klantnummer;soort;tijdstip",
            "kanarie7;Kanarie1;uitlening;2026-06-01 10:00",
            "kanarie8;Kanarie1;kanarie;2026-06-01 10:00",
        ),
        (
            "consents",
            "klantnummer;doel;kanaal;status;tijdstip;bron;tekstversie",
            "Kanarie1;nieuwsbrief;email;ja;2026-06-01 10:00;formulier;kanarie9",
            "Kanarie1;kanarie;x;y;z;formulier;kanarie",
        ),
        (
            "labels",
            "klantnummer;label;naam;groep;versie",
            "Kanarie1;A1;Stad;Mosaic;2026",
            "Kanarie1;B1;C;Mosaic;kanarie",
        ),
    ):
        take_in(kind, *lines, now=now)
    return Customer.objects.get(number="Kanarie1")


def _by_folder(now: dt.datetime) -> None:
    source = SourceFactory(code="library")
    folder = Path(settings.IMPORT_FOLDER) / "wise"
    folder.mkdir(parents=True)
    save_feed(
        None, source=source, name="Leners", delivers="customers", mapping={}, needs_approval=False, folder="wise",
        pattern="*", schedule="hourly", now=now,
    )  # fmt: skip
    for name, text in (("leners.csv", f"{HEADER}\n{ROW}\n"), ("zonder-kop.csv", "kanarie zonder kop\n\0")):
        (folder / name).write_text(text)
        (folder / f"{name}.ready").touch()
    assert look_for_files(now=now) == 2
    for run in ImportRun.objects.filter(state="waiting"):
        run_import(run, now=now)
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 2


def _by_api(customer: Customer, administrator: User) -> None:
    api = APIClient()
    user, token = add_integration(name="kassa", by=administrator)
    user.user_permissions.add(Permission.objects.get(codename="manage_privacy"))
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    label = create_label(code="lezer", name="Lezer", kind="own", by=None, now=clock())
    url = f"/api/v1/customers/{customer.number}/"
    moment = "2026-06-02T10:00:00Z"
    consent = {"purpose": "marketing", "channel": "email", "state": "granted", "source": "library", "event_at": moment}
    asked: list[tuple[str, Any]] = [
        (f"{url}consents/", {**consent, "evidence": {"formulier": "kanarie11"}, "wording_version": "kanarie11"}),
        (f"{url}labels/", {"label": label.code, "reason": "kanarie12"}),
        ("/api/v1/notes/", {"customer": customer.number, "kind": "call", "text": "kanarie13", "author": "kanarie13"}),
        ("/api/v1/facts/", [{
            "customer": customer.number, "kind": "loan", "occurred_at": moment, "source": "library",
            "external_id": "kanarie14", "genre": "kanarie14",
        }]),
        ("/api/v1/copies/", {"customer": customer.number}),
        ("/api/v1/restrictions/", {"customer": customer.number, "restricted": True, "reason": "kanarie15"}),
        ("/api/v1/restrictions/", {"customer": customer.number, "restricted": False, "reason": "kanarie15"}),
    ]  # fmt: skip
    changed = api.patch(url, {"email": "kanarie10@kanarie.example", "city": "Kanariedam"}, format="json")
    assert changed.status_code == 200, changed.data
    for address, body in asked:
        answer = api.post(address, body, format="json")
        assert answer.status_code in (200, 201), (address, answer.data)
    for wrong in ({"kind": "kanarie"}, {"postal_code": "kanarie"}, {"email": "kanarie"}):
        assert api.patch(url, wrong, format="json").status_code in (400, 422)


def _by_staff(customer: Customer, staff: Client) -> None:
    page = f"/customers/{customer.pk}"
    assert staff.get(f"{page}/").status_code == 200
    staff.get("/customers/", {"q": "kanarieachter"})
    told = {"kind": "call", "text": "kanarie16", "happened_at": "2026-06-15T09:00"}
    assert staff.post(f"{page}/notes/write/", told).status_code == 302
    assert staff.post(f"{page}/privacy/copy/").status_code == 302
    assert staff.post(f"{page}/privacy/restrict/", {"reason": "kanarie17"}).status_code == 302
    assert staff.post(f"{page}/privacy/unrestrict/", {"reason": "kanarie17"}).status_code == 302
    with pytest.raises(Refused):
        redeem(
            customer.card_number, idempotency_key="1", branch=None, staff=None, channel="counter", order_cents=100,
            now=clock(),
        )  # fmt: skip


def _by_himself(customer: Customer, client: Client) -> None:
    news = create_newsletter(name="Nieuws", by=None, now=clock())
    customer.refresh_from_db()
    client.get(f"/mijn/enter/{make_token('mijnmenu', [customer.pk, customer.link_version])}/")
    details = {
        "first_name": "KanarieZelf", "last_name": "Kanarieachter", "postal_code": "9876 qk", "house_number": "1",
        "street": "Kanarielaan", "city": "Edam", "phone": "06-87651234",
    }  # fmt: skip
    assert client.post("/mijn/gegevens/wijzigen/", details).status_code == 302
    client.post("/mijn/gegevens/", {"address": "kanarie18@kanarie.example", "again": "kanarie18@kanarie.example"})
    client.post("/mijn/nieuwsbrieven/", {"shown": [news.pk], "wanted": [news.pk]})
    client.post("/mijn/privacy/kopie/")
    client.post("/mijn/privacy/verwijderen/", {"note": "kanarie19"})
    signing = Client().post(
        f"/mijn/aanmelden/{news.purpose.code}/",
        {"email": "kanarie10@kanarie.example", "first_name": "kanarie20", "last_name": "kanarie20"},
    )
    assert signing.status_code == 200
    Client().post("/mijn/link/", {"address": "kanarie10@kanarie.example"})
    ask_for_link("kanarie10@kanarie.example", now=clock())


def _by_website(customer: Customer) -> None:
    record_consent(
        customer, purpose=Purpose.objects.get(code="profiling"), channel="email", state="granted",
        source_code="mijnmenu", actor="customer", event_at=clock() - dt.timedelta(minutes=1),
    )  # fmt: skip
    site = add_site(name="Site", hosts=["www.example.nl"], keeps_queries=True, by=None, now=clock())
    forget_sites()
    visitor = Client(headers={"origin": "https://www.example.nl", "user-agent": "Mozilla/5.0 (X11; Linux) Chrome/140"})
    token = make_web_token(customer, now=clock())
    for number, more in enumerate((
        {"t": "view", "p": "/kanarie21/"}, {"t": "search", "q": "kanarie22", "r": 1},
        {"t": "form", "n": "kanarie23"}, {"t": "identify", "c": token},
    )):  # fmt: skip
        hit = {"s": site.key, "v": "kanariebezoek", "i": f"kanarie-{number}"} | more
        assert visitor.post("/w/hit/", json.dumps(hit), content_type="text/plain").status_code == 204


def _on_lists(customer: Customer, now: dt.datetime) -> None:
    publication = save_publication(
        None, name="Mailtool", purpose=Purpose.objects.get(code="marketing"), channel="email",
        columns=["number", "email"], has_file=True, webhook_url="", daily_at=dt.time(5), is_active=True, by=None,
        now=now,
    )  # fmt: skip
    run_publication(publication, now=now)
    suppress_address("kanarie4@kanarie.example", detail="kanarie24", now=now)  # an address of before
    request_access(customer, by="kanarie25", now=now)
    assert make_waiting_copies(now=now) >= 1


def _in_rules(customer: Customer, now: dt.datetime) -> None:
    asked = [
        {"criterion": "customer.number", "params": {"value": customer.number}},
        {"criterion": "customer.email", "params": {"value": "kanarie10@kanarie.example"}},
        {"criterion": "customer.card_number", "params": {"op": "in", "values": [customer.card_number, "200002"]}},
    ]
    kept = create_selection(name="Deze", rule=rule(*asked, op="any"), by=None, now=now)
    create_label(name="Die", kind="own", by=None, now=now)
    set_rule(Label.objects.get(name="Die"), rule=rule(*asked, op="any"), now=now)
    keep_selection(kept, name="Toen", by=None, now=now)


@pytest.fixture
def canary(administrator: User, now: dt.datetime) -> Customer:
    """Somebody who came in by every way there is."""
    now = clock()
    staff, own = Client(), Client()
    staff.force_login(administrator, backend="django.contrib.auth.backends.ModelBackend")
    customer = _by_files(now)
    _by_folder(now)
    customer.refresh_from_db()
    _by_api(customer, administrator)
    _by_staff(customer, staff)
    _by_himself(customer, own)
    _by_website(customer)
    _on_lists(customer, now)
    _in_rules(customer, now)
    return customer


def test_whoever_came_in_by_every_way_is_nowhere_any_more(canary: Customer, tmp_path: Path) -> None:
    before = found(tmp_path)
    places = {place.split(".")[-1].strip('"') for place, _word, _text in before}
    expected = {
        "customers_customer", "customers_sourcerecord", "customers_contactpoint", "customers_subscription",
        "customers_fact", "customers_consent", "customers_note", "customers_customerchange", "customers_importchange",
        "customers_importerror", "customers_erasurerequest", "labels_assignment", "vouchers_attempt", "website_hit",
        "mijnmenu_linkrequest", "mijnmenu_addresschange", "mailings_confirmation", "mailings_suppression",
    }  # fmt: skip
    assert expected <= places, "the test itself must put it everywhere"
    folders = {Path(place).relative_to(tmp_path).parts[0] for place, _word, _text in before if place.startswith("/")}
    assert folders == {"media", "imports", "lists"}
    receipt = erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert not (left := found(tmp_path)), left
    assert {"dropped_files", "hits", "attempts", "mailings_suppression"} <= set(receipt.counts)
    assert Customer.objects.filter(number="200002").exists()
    for kept in (*Selection.objects.all(), *Label.objects.by_rule()):
        assert "200002" in json.dumps(parse_rule(kept.rule).model_dump(mode="json")), "a rule can still be read"


def _written_by_people(table: PersonalTable) -> list[models.Field[Any, Any]]:
    """Return the columns in which words can stand: no choices, no keys to something else."""
    model = next(model for model in apps.get_models() if model._meta.db_table == table.table)
    return [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField | models.JSONField)
        and not field.flatchoices
        and (table.table, field.column) not in LINKS
    ]


def test_every_column_that_can_hold_words_is_emptied(canary: Customer, tmp_path: Path) -> None:
    """Whatever somebody may write some day: a canary in each text of each of their rows."""
    values = {"ids": [canary.pk], "emails": []}
    execute("SET session_replication_role = replica")
    filled = 0
    for table in personal_tables:
        if table.holds != "customer":
            continue
        for field in _written_by_people(table):
            word = f"jsonb_build_object('kanarie', 'kanarie{filled}')"
            if not isinstance(field, models.JSONField):
                longest = field.max_length or 60
                assert longest >= len(SHORT), field
                word = f"left('{SHORT}' || {table.key} || '-{filled}', {longest})"
            filled += execute(
                f"UPDATE {table.table} SET {connection.ops.quote_name(field.column)} = {word} "  # noqa: S608
                f"WHERE {table.column} = ANY(%(ids)s)",
                values,
            )
    execute("SET session_replication_role = DEFAULT")
    assert filled > 60
    erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert not (left := found(tmp_path, (*WORDS, SHORT))), left


def test_a_parent_who_goes_leaves_no_number_with_the_child(
    canary: Customer, administrator: User, tmp_path: Path
) -> None:
    child = Customer.objects.get(number="200002")
    Customer.objects.filter(pk=child.pk).update(birth_date=clock().date() - dt.timedelta(days=3650))
    child.refresh_from_db()
    bond = add_guardian(child, canary, by=administrator, now=clock())
    end_guardian(bond, by=administrator, now=clock())
    erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert not (left := found(tmp_path)), left
    assert CustomerChange.objects.filter(customer=child).exists()


def test_a_file_that_waits_in_a_folder_stands_in_the_way_of_who_asks_only(canary: Customer, tmp_path: Path) -> None:
    file = tmp_path / "imports" / "elders" / "vergeten.xlsx"
    file.parent.mkdir()
    file.write_bytes(b"x")
    with pytest.raises(Refused) as refused:
        erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert refused.value.code == "dropped_files"
    assert "elders/vergeten.xlsx" in str(refused.value), "who has to remove it must know which it is"
    file.unlink()
    erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert not Customer.objects.filter(pk=canary.pk).exists()


def test_a_file_that_still_speaks_of_him_is_refused_without_keeping_who_it_was(
    canary: Customer, tmp_path: Path
) -> None:
    erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert take_in("customers", HEADER, ROW, now=clock()).refused_count == 1
    wrong = ROW.replace("07-03-1931", "gisteren")
    assert take_in("customers", HEADER, wrong, now=clock()).refused_count == 1
    fact = "kanarie7;Kanarie1;uitlening;2026-06-01 10:00"
    assert take_in("facts", "id;klantnummer;soort;tijdstip", fact, now=clock()).refused_count == 1
    assert take_in("facts", "id;klantnummer;soort;tijdstip", fact.replace("Kanarie1", "55"), now=clock()).refused_count
    left = [(place, word) for place, word, _text in found(tmp_path) if not place.startswith("/")]
    assert left == [], "the file itself stays for its thirty days"
    assert "55" in ImportError.objects.values_list("value", flat=True)


@pytest.mark.parametrize(("column", "value"), [("email", "Weg@Example.nl"), ("telefoon", "06-12345678")])
def test_an_erased_address_or_telephone_does_not_come_in_with_somebody_else(column: str, value: str) -> None:
    keys.remember([("email", "weg@example.nl"), ("phone", "+31612345678")], now=clock())
    known = take_in(
        "customers", f"klantnummer;soort;achternaam;{column}", f"55;lid;Anders;{EARLIER[column]}", now=clock()
    )
    assert known.new_count == 1
    lines = f"55;lid;Anders;{value}\n56;lid;Nieuw;{value if column == 'telefoon' else ''}"
    run = take_in("customers", f"klantnummer;soort;achternaam;{column}", lines, now=clock())
    assert (run.refused_count, run.remarks) == (0, {"erased_address": 2 if column == "telefoon" else 1})
    assert not ContactPoint.objects.filter(value__in=["weg@example.nl", "+31612345678"]).exists()
    again = take_in("customers", f"klantnummer;soort;achternaam;{column}", lines, now=clock())
    assert (again.new_count, again.changed_count) == (0, 0)


def test_who_had_the_address_too_keeps_it_in_a_file(canary: Customer) -> None:
    """Nobody else had it when it was erased, or it would not be known as erased; given by hand, it may stay."""
    take_in("customers", "klantnummer;soort;achternaam", "55;lid;Anders", now=clock())
    keys.remember([("phone", "+31612345678")], now=clock())
    other = Customer.objects.get(number="55")
    ContactPoint.objects.create(
        customer=other, channel="phone", value="+31612345678", is_primary=True, source=other.source, updated_at=clock()
    )
    run = take_in("customers", "klantnummer;soort;achternaam;telefoon", "55;lid;Anders;0612345678", now=clock())
    assert run.remarks == {}
    assert other.contact_points.filter(value="+31612345678").exists()


def test_an_address_of_before_that_is_somebody_elses_now_stays_his(canary: Customer) -> None:
    CustomerFactory(email="kanarie4@kanarie.example")
    erase_customer(canary, ground=REQUEST, by="Anna", now=clock() + PAST)
    assert rows("SELECT count(*) AS n FROM mailings_suppression")[0]["n"] == 1
