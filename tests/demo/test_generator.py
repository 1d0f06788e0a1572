import csv
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from demo.library import write_files
from demo.library.export import COLUMNS
from demo.library.names import split_name
from demo.library.people import Population, age_on, birthday_in
from demo.library.subscriptions import Subscriptions

TODAY = date(2026, 11, 22)
FACTS = ("uitleningen", "reserveringen", "betalingen", "kaartverkoop", "webbezoek")
Row = dict[str, str]


def rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";", strict=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    files = write_files(tmp_path_factory.mktemp("library"), customers=5000, today=TODAY)
    return {name: list(rows(path)) for name, path in files.items()}


@pytest.fixture(scope="module")
def members(library: dict[str, list[Row]]) -> list[Row]:
    return [row for row in library["klanten"] if row["soort"] == "lid"]


def is_youth(row: Row) -> bool:
    return bool(row["geboortedatum"]) and age_on(TODAY, date.fromisoformat(row["geboortedatum"])) < 18


def share(part: int, whole: int) -> float:
    return part / whole


def test_every_file_has_the_dutch_header_of_its_kind(tmp_path: Path) -> None:
    files = write_files(tmp_path, customers=50, today=TODAY)
    for name, columns in COLUMNS.items():
        assert files[name].read_text(encoding="utf-8").splitlines()[0] == columns


def test_same_arguments_give_the_same_bytes_and_another_seed_does_not(
    tmp_path: Path,
) -> None:
    first = write_files(tmp_path / "a", customers=300, today=TODAY)
    second = write_files(tmp_path / "b", customers=300, today=TODAY)
    other = write_files(tmp_path / "c", customers=300, today=TODAY, seed=7)
    assert all(first[name].read_bytes() == second[name].read_bytes() for name in first)
    assert first["klanten"].read_bytes() != other["klanten"].read_bytes()


def test_the_number_of_customers_is_exact_and_numbers_are_unique(
    library: dict[str, list[Row]],
) -> None:
    numbers = {row["klantnummer"] for row in library["klanten"]}
    assert len(library["klanten"]) == len(numbers) == 5000
    assert len(library["vestigingen"]) == 9


def test_few_customers_are_possible_too(tmp_path: Path) -> None:
    files = write_files(tmp_path, customers=3, today=TODAY)
    assert len(list(rows(files["klanten"]))) == 3


def test_two_of_three_members_are_youth(members: list[Row]) -> None:
    assert share(sum(map(is_youth, members)), len(members)) == pytest.approx(0.64, abs=0.03)


def test_all_kinds_of_customers_occur(library: dict[str, list[Row]]) -> None:
    kinds = Counter(row["soort"] for row in library["klanten"])
    assert set(kinds) == {"lid", "oud-lid", "nieuwsbrief", "prospect"}
    assert share(kinds["lid"], 5000) == pytest.approx(0.83, abs=0.04)


def test_mail_address_is_known_for_most_adults_and_fewer_youth(
    members: list[Row],
) -> None:
    adults = [row for row in members if not is_youth(row)]
    youth = [row for row in members if is_youth(row)]
    assert share(sum(bool(row["email"]) for row in adults), len(adults)) == pytest.approx(0.80, abs=0.03)
    assert share(sum(bool(row["email"]) for row in youth), len(youth)) == pytest.approx(0.60, abs=0.03)


def test_parents_share_their_mail_address_with_their_children(
    library: dict[str, list[Row]],
) -> None:
    people: dict[str, list[Row]] = defaultdict(list)
    for row in library["klanten"]:
        if row["email"]:
            people[row["email"]].append(row)
    with_parent = [group for group in people.values() if {is_youth(row) for row in group} == {True, False}]
    assert len(with_parent) > 200
    homes = [{(row["postcode"], row["huisnummer"], row["toevoeging"]) for row in group} for group in with_parent]
    assert all(len(home) == 1 for home in homes)


def test_households_share_an_address(library: dict[str, list[Row]]) -> None:
    homes = Counter((r["postcode"], r["huisnummer"], r["toevoeging"]) for r in library["klanten"] if r["straat"])
    sizes = Counter(homes.values())
    assert sizes[1] > 300
    assert sizes[2] > 300
    assert sizes[3] > 200
    assert max(sizes) <= 7


def test_marketing_consent_by_mail_is_given_by_two_in_five(library: dict[str, list[Row]], members: list[Row]) -> None:
    latest: dict[str, tuple[datetime, str]] = {}
    for row in library["toestemmingen"]:
        if (row["doel"], row["kanaal"]) == ("marketing", "email"):
            entry = (datetime.fromisoformat(row["tijdstip"]), row["status"])
            latest[row["klantnummer"]] = max(entry, latest.get(row["klantnummer"], entry), key=lambda e: e[0])
    reachable = [row["klantnummer"] for row in members if row["email"]]
    yes = sum(latest.get(number, (None, ""))[1] == "ja" for number in reachable)
    assert share(yes, len(reachable)) == pytest.approx(0.40, abs=0.03)


def test_consents_use_the_agreed_words(library: dict[str, list[Row]]) -> None:
    for row in library["toestemmingen"]:
        assert row["doel"] in {"marketing", "nieuwsbrief", "profilering", "service"}
        assert row["kanaal"] in {"email", "post", "telefoon", "sms"}
        assert row["status"] in {"ja", "nee", "bezwaar"}
        assert row["bron"]
        assert row["tekstversie"]
        assert datetime.fromisoformat(row["tijdstip"]).date() <= TODAY


def test_two_of_three_paid_subscriptions_are_direct_debit(
    library: dict[str, list[Row]],
) -> None:
    paid = [row["betaalwijze"] for row in library["abonnementen"] if row["prijs"] != "0,00"]
    assert share(paid.count("incasso"), len(paid)) == pytest.approx(0.65, abs=0.04)
    free = {row["betaalwijze"] for row in library["abonnementen"] if row["prijs"] == "0,00"}
    assert free == {"gratis"}


def test_an_adult_pays_four_euros_less_by_direct_debit(
    library: dict[str, list[Row]],
) -> None:
    adult = {(r["betaalwijze"] == "incasso", r["prijs"]) for r in library["abonnementen"] if r["soort"] == "volwassen"}
    assert adult == {(True, "58,00"), (False, "62,00")}


def test_every_member_has_one_running_subscription(library: dict[str, list[Row]], members: list[Row]) -> None:
    running = Counter(
        row["klantnummer"]
        for row in library["abonnementen"]
        if row["begindatum"] <= TODAY.isoformat() and (not row["einddatum"] or row["einddatum"] >= TODAY.isoformat())
    )
    assert {running[row["klantnummer"]] for row in members} == {1}
    former = {row["klantnummer"] for row in library["klanten"] if row["soort"] == "oud-lid"}
    assert not former & set(running)


def test_one_adult_in_eight_left_in_the_last_year(library: dict[str, list[Row]], members: list[Row]) -> None:
    former = {r["klantnummer"] for r in library["klanten"] if r["soort"] == "oud-lid" and not is_youth(r)}
    year_ago = (TODAY - timedelta(days=365)).isoformat()
    left = {
        r["klantnummer"] for r in library["abonnementen"] if r["klantnummer"] in former and r["einddatum"] >= year_ago
    }
    adults = sum(not is_youth(row) for row in members)
    assert share(len(left), len(left) + adults) == pytest.approx(0.12, abs=0.03)


def loans_last_year(library: dict[str, list[Row]], members: list[Row]) -> list[int]:
    since = (TODAY - timedelta(days=365)).isoformat()
    whole_year = [row["klantnummer"] for row in members if row["inschrijfdatum"] <= since]
    total: Counter[str] = Counter()
    for row in library["uitleningen"]:
        if row["tijdstip"] >= since:
            total[row["klantnummer"]] += int(row["aantal"])
    return [total[number] for number in whole_year]


def test_a_third_borrow_nothing_and_the_mean_is_fifteen(library: dict[str, list[Row]], members: list[Row]) -> None:
    loans = loans_last_year(library, members)
    assert share(loans.count(0), len(loans)) == pytest.approx(0.30, abs=0.04)
    mean = sum(loans) / len(loans)
    assert mean == pytest.approx(15, abs=2)
    variance = sum((value - mean) ** 2 for value in loans) / len(loans)
    assert variance > 10 * mean, "a negative binomial of this shape spreads far wider than a Poisson"


def test_winter_and_october_are_busier_than_early_summer(
    library: dict[str, list[Row]],
) -> None:
    months = Counter(row["tijdstip"][5:7] for row in library["uitleningen"])
    assert min(months["01"], months["03"], months["10"]) > 1.2 * max(months["05"], months["06"])
    weekdays = {datetime.fromisoformat(row["tijdstip"]).weekday() for row in library["uitleningen"]}
    assert 6 not in weekdays, "the branches are closed on Sundays"


def test_birthdays_are_spread_over_the_year(members: list[Row]) -> None:
    months = Counter(row["geboortedatum"][5:7] for row in members)
    assert min(months.values()) > 0.7 * max(months.values())


def test_today_has_birthdays_and_newcomers_whom_a_campaign_may_reach(
    library: dict[str, list[Row]],
) -> None:
    yes = {
        r["klantnummer"]
        for r in library["toestemmingen"]
        if (r["doel"], r["kanaal"], r["status"]) == ("marketing", "email", "ja")
    }
    known = [r for r in library["klanten"] if r["soort"] == "lid" and r["email"] and r["klantnummer"] in yes]
    assert sum(r["geboortedatum"][5:] == "11-22" for r in known) >= 6
    assert sum(r["inschrijfdatum"] >= (TODAY - timedelta(days=7)).isoformat() for r in known) >= 4
    assert max(r["inschrijfdatum"] for r in library["klanten"]) <= TODAY.isoformat()


def test_who_was_born_on_29_february_grows_up_on_the_28th_and_gets_one_subscription_after_another() -> None:
    born = date(2004, 2, 29)
    assert [age_on(date(2022, 2, day), born) for day in (27, 28)] == [17, 18]
    person = next(Population(seed=1, today=TODAY).people(1))
    person.born, person.enrolled, person.regular = born, date(2012, 5, 1), ""
    periods = [(one.kind, one.starts, one.ends) for one in Subscriptions(seed=3, today=TODAY).of(person)]
    assert periods[0] == ("jeugd", date(2012, 5, 1), date(2022, 2, 27))
    assert periods[1][1] == date(2022, 2, 28)
    assert len(periods) == 2


def test_nobody_joins_before_birth_after_today_or_after_leaving() -> None:
    for person in Population(seed=1, today=TODAY).people(30_000):
        assert (person.born or person.enrolled) <= person.enrolled <= (person.left or TODAY) <= TODAY


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2025, 3, 1), date(2026, 1, 1)])
def test_any_day_can_be_today(tmp_path: Path, today: date) -> None:
    files = write_files(tmp_path, customers=120, today=today)
    days = {date.fromisoformat(row["inschrijfdatum"]) for row in rows(files["klanten"])}
    assert max(days) <= today
    born = [date.fromisoformat(row["geboortedatum"]) for row in rows(files["klanten"]) if row["geboortedatum"]]
    assert sum(birthday_in(today.year, day) == today for day in born) >= 5


def test_facts_lie_within_two_years_and_within_the_membership(
    library: dict[str, list[Row]],
) -> None:
    people = {row["klantnummer"]: row for row in library["klanten"]}
    oldest, today = (TODAY - timedelta(days=730)).isoformat(), TODAY.isoformat()
    for name in FACTS:
        assert library[name]
        for row in library[name]:
            assert oldest <= row["tijdstip"][:10] < today
    for row in library["uitleningen"]:
        assert row["tijdstip"][:10] >= people[row["klantnummer"]]["inschrijfdatum"]


def test_moments_carry_the_dutch_zone_of_their_day(
    library: dict[str, list[Row]],
) -> None:
    zones = defaultdict(set)
    for row in library["uitleningen"]:
        zones[row["tijdstip"][5:7]].add(row["tijdstip"][-6:])
    assert zones["01"] == {"+01:00"}
    assert zones["07"] == {"+02:00"}


def test_facts_have_unique_ids_known_kinds_and_known_customers(
    library: dict[str, list[Row]],
) -> None:
    facts = [row for name in FACTS for row in library[name]]
    assert len({row["id"] for row in facts}) == len(facts)
    numbers = {row["klantnummer"] for row in library["klanten"]}
    assert {row["klantnummer"] for row in facts} <= numbers
    kinds = Counter((row["soort"], row["sector"]) for row in facts)
    assert set(kinds) == {
        ("uitlening", "bibliotheek"), ("reservering", "bibliotheek"), ("contributie", "bibliotheek"),
        ("boete", "bibliotheek"), ("kaartverkoop", "theater"), ("webbezoek", "web"),
    }  # fmt: skip
    assert all(re.fullmatch(r"(\d+,\d\d)?", row["bedrag"]) for row in facts)
    assert not set(facts[0]) & {"titel", "isbn"}


def test_members_keep_to_favourite_worlds(library: dict[str, list[Row]]) -> None:
    worlds: dict[str, Counter[str]] = defaultdict(Counter)
    for row in library["uitleningen"]:
        worlds[row["klantnummer"]][row["wereld"]] += 1
    assert len({world for counter in worlds.values() for world in counter}) == 10
    readers = [counter for counter in worlds.values() if counter.total() >= 20]
    top = [counter.most_common(1)[0][1] / counter.total() for counter in readers]
    assert sum(top) / len(top) > 0.5


def test_names_mail_phones_and_postcodes_look_real_and_hit_nobody(
    library: dict[str, list[Row]],
) -> None:
    for row in library["klanten"]:
        assert re.fullmatch(r"(06[1-5]\d{7})?", row["telefoon"])
        assert re.fullmatch(r"([a-z]+\.?[a-z]*\d*@example\.(nl|org|com))?", row["email"])
        assert re.fullmatch(r"(1[14]\d\d (?!SA|SD|SS)[A-EGHJ-NPR-TV-XZ]{2})?", row["postcode"])
        assert row["achternaam"][0].isupper()
        assert row["tussenvoegsel"] == row["tussenvoegsel"].lower()
        assert row["voornaam"]
        assert row["voorletters"].startswith(row["voornaam"][0])


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("de Jong", ("de", "Jong")),
        ("van den Berg", ("van den", "Berg")),
        ("van 't Hof", ("van 't", "Hof")),
        ("Jansen", ("", "Jansen")),
        ("El Amrani", ("", "El Amrani")),
        ("Goyaerts van Waderle", None),
    ],
)
def test_names_are_split_at_the_tussenvoegsel(full: str, parts: tuple[str, str] | None) -> None:
    assert split_name(full) == parts


def test_the_faulty_file_has_six_rows_that_differ_from_ten(
    library: dict[str, list[Row]],
) -> None:
    faulty = library["fouten"]
    assert len(faulty) == 10
    numbers = Counter(row["klantnummer"] for row in faulty)
    assert numbers["9000001"] == 2
    wrong = [
        row
        for row in faulty
        if row["geboortedatum"] == "31-02-2015"
        or "(at)" in row["email"]
        or row["vestiging"] == "XXX"
        or row["soort"] == "vriend"
        or not row["achternaam"]
    ]
    assert len(wrong) == 5


def test_writing_streams_and_takes_less_than_a_millisecond_per_customer(
    tmp_path: Path,
) -> None:
    heard: list[int] = []
    start = time.process_time()
    write_files(tmp_path, customers=4000, today=TODAY, progress=heard.append)
    assert time.process_time() - start < 4.0, "it takes an eighth of that where nothing else goes on"
    assert heard[-1] == 4000
    assert heard == sorted(heard)
