"""Criteria about mailings: whom they find and whom not, at any moment, in words, and what they saw."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation
from pydantic import ValidationError

from common.criteria import criteria
from common.errors import Refused
from customers.models import Customer
from mailings.actions import unsubscribe
from mailings.actions.feedback import record_own_open
from mailings.models import Decision, Mailing, Message, Suppression
from selections.actions import create_selection
from selections.past import gaps
from selections.rules import parse_rule
from tests.factories import ConsentFactory, PurposeFactory, follow_link

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
People = dict[str, Any]


def rule(criterion: str, **params: Any) -> dict[str, Any]:
    return {"version": 2, "op": "all", "children": [{"criterion": criterion, "params": params}]}


@pytest.fixture
def people(reader: Callable[..., Customer], start: Callable[..., Mailing], now: dt.datetime) -> People:
    """20 days ago three got the first mailing; one clicked and opened it, one said no more. The second failed."""
    names = ("got", "clicked", "left", "none", "control")
    found: People = {name: reader(first_name=name) for name in names}
    first = start(found["got"], found["clicked"], found["left"], found["control"], name="Eerste", now=now - 20 * DAY)
    second = start(found["clicked"], name="Tweede", origin="edition:4", now=now - 10 * DAY)
    Message.objects.filter(mailing=first).update(state="sent", sent_at=now - 20 * DAY)
    Message.objects.filter(mailing=first, customer=found["control"]).delete()
    Decision.objects.filter(mailing=first, customer=found["control"]).update(outcome="hold_out", channel="")
    Message.objects.filter(mailing=second).update(state="failed", state_at=now - 10 * DAY)
    message = Message.objects.get(mailing=first, customer=found["clicked"])
    follow_link(message, now=now - 5 * DAY)
    ConsentFactory(customer=found["clicked"], purpose=PurposeFactory(code="open_tracking"), event_at=now - 30 * DAY)
    record_own_open(message.pk, now=now - 6 * DAY)
    unsubscribe(
        Message.objects.get(mailing=first, customer=found["left"]), scope="purpose", method="page", now=now - 4 * DAY
    )
    return found | {"first": first, "second": second}


def found(people: People, criterion: str, params: dict[str, Any], now: dt.datetime) -> set[str]:
    """Return who is found by name, having checked that the opposite finds all others."""
    one = criteria[criterion]
    known = {"first": people["first"].pk, "second": people["second"].pk}
    given = {
        name: [known[mailing] for mailing in value] if name == "mailing" and isinstance(value, list) else value
        for name, value in params.items()
    }
    q = one.to_q(one.params.model_validate(given), now=now)
    names = set(Customer.objects.filter(q).values_list("first_name", flat=True))
    others = set(Customer.objects.filter(~q).values_list("first_name", flat=True))
    everybody = {name for name, value in people.items() if isinstance(value, Customer)}
    assert names | others == everybody
    assert not names & others
    return names


RECEIVED = {"got", "clicked", "left"}
ALL = RECEIVED | {"none", "control"}
CASES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("mailings.received", {}, RECEIVED),
    ("mailings.received", {"mailing": ["first"]}, RECEIVED),
    ("mailings.received", {"mailing": ["first", "second"]}, RECEIVED),
    ("mailings.received", {"mailing": ["second"]}, set()),
    ("mailings.received", {"within_days": 19}, set()),
    ("mailings.received", {"within_days": 21}, RECEIVED),
    ("mailings.received", {"period": "ago", "number": 15, "number_to": 25}, RECEIVED),
    ("mailings.received", {"origin": ["action"], "purpose": ["marketing"], "channel": "email"}, RECEIVED),
    ("mailings.received", {"origin": ["edition", "step"]}, set()),
    ("mailings.received", {"purpose": ["service"]}, set()),
    ("mailings.received", {"channel": "post"}, set()),
    ("mailings.received", {"times": 2}, set()),
    ("mailings.received", {"clicked": "yes"}, {"clicked"}),
    ("mailings.received", {"clicked": "no", "within_days": 21}, {"got", "left"}),
    ("mailings.received", {"clicked": "no", "mailing": ["second"]}, set()),
    ("mailings.not_received", {}, {"none", "control"}),
    ("mailings.not_received", {"within_days": 19}, ALL),
    ("mailings.clicked", {}, {"clicked"}),
    ("mailings.clicked", {"mailing": ["first"], "link": "AGENDA"}, {"clicked"}),
    ("mailings.clicked", {"link": "%"}, set()),
    ("mailings.clicked", {"mailing": ["second"]}, set()),
    ("mailings.clicked", {"within_days": 4}, set()),
    ("mailings.clicked", {"within_days": 6}, {"clicked"}),
    ("mailings.opened", {}, {"clicked"}),
    ("mailings.opened", {"mailing": ["first"], "within_days": 7}, {"clicked"}),
    ("mailings.opened", {"mailing": ["second"]}, set()),
    ("mailings.opened", {"within_days": 5}, set()),
    ("mailings.failed", {}, {"clicked"}),
    ("mailings.failed", {"how": ["failed"], "within_days": 11}, {"clicked"}),
    ("mailings.failed", {"how": ["withdrawn"]}, set()),
    ("mailings.failed", {"within_days": 9}, set()),
    ("mailings.unsubscribed", {}, {"left"}),
    ("mailings.unsubscribed", {"mailing": ["first"], "origin": ["action"], "purpose": ["marketing"]}, {"left"}),
    ("mailings.unsubscribed", {"mailing": ["second"]}, set()),
    ("mailings.unsubscribed", {"within_days": 3}, set()),
    ("mailings.unsubscribed", {"channel": "email"}, {"left"}),
    ("mailings.unsubscribed", {"channel": "post"}, set()),
    ("mailings.held_back", {}, {"control"}),
    ("mailings.held_back", {"reasons": ["no_permission"]}, set()),
    ("mailings.held_back", {"reasons": ["hold_out", "no_permission"], "mailing": ["first"]}, {"control"}),
    ("mailings.hold_out", {"within_days": 21}, {"control"}),
    ("mailings.hold_out", {"within_days": 19}, set()),
]


@pytest.mark.parametrize(("criterion", "params", "expected"), CASES)
def test_what_was_received_and_followed_can_be_asked(
    people: People, now: dt.datetime, criterion: str, params: dict[str, Any], expected: set[str]
) -> None:
    assert found(people, criterion, params, now) == expected


@pytest.mark.parametrize(
    ("criterion", "days_ago", "expected"),
    [
        ("mailings.received", 20, RECEIVED),
        ("mailings.received", 21, set()),
        ("mailings.not_received", 21, ALL),
        ("mailings.clicked", 6, set()),
        ("mailings.opened", 7, set()),
        ("mailings.opened", 5, {"clicked"}),
        ("mailings.failed", 11, set()),
        ("mailings.unsubscribed", 5, set()),
        ("mailings.held_back", 21, set()),
    ],
)
def test_a_past_moment_sees_no_more_than_there_was(
    people: People, now: dt.datetime, criterion: str, days_ago: int, expected: set[str]
) -> None:
    then = now - days_ago * DAY
    assert found(people, criterion, {}, then) == expected
    within = rule(criterion, within_days=30)  # ever would reach further back than clicks and decisions are kept
    assert gaps(parse_rule(within), now=then, present=now) == {}


@pytest.mark.parametrize(
    ("criterion", "words"),
    [
        ("mailings.clicked", "alleen bewaard sinds"),
        ("mailings.held_back", "alleen bewaard sinds"),
        ("mailings.blocked", "huidige e-mailadressen"),
    ],
)
def test_what_is_kept_for_a_time_is_a_gap_before_it(
    criterion: str, words: str, base_data: None, now: dt.datetime
) -> None:
    with translation.override("nl"):
        [gap] = gaps(parse_rule(rule(criterion)), now=now - DAY, present=now).values()
    assert words in gap


def test_how_many_messages_somebody_got(people: People, start: Callable[..., Mailing], now: dt.datetime) -> None:
    third = start(people["got"], name="Derde", now=now)
    Message.objects.filter(mailing=third).update(state="sent", sent_at=now)
    assert found(people, "mailings.received", {"times": 2}, now) == {"got"}
    assert found(people, "mailings.received", {"times": 2}, now - DAY) == set()
    assert found(people, "mailings.received", {"times": 2, "within_days": 10}, now) == set()


def test_a_blocked_address(people: People, now: dt.datetime) -> None:
    address = people["got"].contact_points.get(channel="email").value
    Suppression.objects.create(address=address, reason="bounce", since=now - DAY)
    assert found(people, "mailings.blocked", {}, now) == {"got"}
    assert found(people, "mailings.blocked", {"reasons": ["complaint"]}, now) == set()


SENTENCES: list[tuple[str, dict[str, Any], str, str]] = [
    # criterion, params, in Dutch, what it saw of who clicked
    ("mailings.received", {}, "een bericht ontvingen", "1 ×, laatst op 26 mei 2026: “Eerste”"),
    (
        "mailings.received",
        {"mailing": ["first", "second"], "times": 2, "within_days": 30},
        "de afgelopen 30 dagen minstens 2 keer de mailing “Eerste” of de mailing “Tweede” ontvingen",
        "1 ×, laatst op 26 mei 2026: “Eerste”",
    ),
    (
        "mailings.received",
        {"clicked": "no", "within_days": 30},
        "de afgelopen 30 dagen een bericht ontvingen zonder erin te klikken",
        "nooit",
    ),
    (
        "mailings.received",
        {"clicked": "yes"},
        "een bericht ontvingen en erin klikten",
        "1 ×, laatst op 26 mei 2026: “Eerste”",
    ),
    (
        "mailings.not_received",
        {"period": "this_week", "origin": ["edition"], "channel": "post"},
        "deze week geen bericht (van een nieuwsbrief, per brief) ontvingen",
        "nooit",
    ),
    ("mailings.not_received", {"mailing": ["second"]}, "niet de mailing “Tweede” ontvingen", "nooit"),
    (
        "mailings.not_received",
        {"mailing": ["first", "second"]},
        "geen van de mailings “Eerste” en “Tweede” ontvingen",
        "1 ×, laatst op 26 mei 2026: “Eerste”",
    ),
    (
        "mailings.clicked",
        {"link": "agenda", "within_days": 30},
        "de afgelopen 30 dagen klikten op een link met “agenda” in een bericht",
        "1 ×, laatst op 10 juni 2026: https://www.example.nl/agenda?a=1&b=2",
    ),
    ("mailings.opened", {"mailing": ["first"]}, "de mailing “Eerste” openden", "opende “Eerste”"),
    (
        "mailings.failed",
        {"how": ["failed"]},
        "een bericht niet kregen, doordat het terugkwam of mislukte",
        "1 ×, laatst op 5 juni 2026: “Tweede”",
    ),
    ("mailings.unsubscribed", {}, "zich afmeldden via een bericht", "nooit"),
    (
        "mailings.held_back",
        {"reasons": ["no_address", "frequency_cap"]},
        "een bericht niet kregen, omdat: geen adres voor dit kanaal of heeft kort geleden genoeg berichten gehad",
        "nooit",
    ),
    ("mailings.hold_out", {}, "in de controlegroep van een bericht zaten", "nooit"),
    (
        "mailings.blocked",
        {"reasons": ["bounce"]},
        "een geblokkeerd e-mailadres hebben (blijvend geweigerd door de mailserver)",
        "niet geblokkeerd",
    ),
]


def numbered(people: People, params: dict[str, Any]) -> dict[str, Any]:
    if "mailing" not in params:
        return params
    return params | {"mailing": [people[name].pk for name in params["mailing"]]}


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_it_reads_as_a_sentence_and_tells_what_it_saw(
    people: People, now: dt.datetime, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    criterion = criteria[code]
    given = criterion.params.model_validate(numbered(people, params))
    with translation.override("nl"):
        assert criterion.sentence(given) == dutch
        assert criterion.seen(given, people["clicked"], now=now) == seen


@pytest.mark.parametrize(("code", "params", "dutch", "seen"), SENTENCES)
def test_a_form_filled_from_params_gives_the_same_params(
    people: People, code: str, params: dict[str, Any], dutch: str, seen: str
) -> None:
    criterion = criteria[code]
    given = criterion.params.model_validate(numbered(people, params))
    data = QueryDict(mutable=True)
    for name, value in criterion.initial(given).items():
        data.setlist(name, [str(item) for item in value] if isinstance(value, list) else [str(value)])
    form = criterion.form(data)
    assert form.is_valid(), form.errors
    assert criterion.read(form.cleaned_data) == given


def test_every_criterion_of_this_app_is_in_the_table() -> None:
    ours = {criterion.code for criterion in criteria if type(criterion).__module__.startswith("mailings.")}
    assert ours == {code for code, *_rest in SENTENCES}


def test_a_rule_of_the_first_months_is_read(people: People, now: dt.datetime) -> None:
    first: int = people["first"].pk
    params = criteria["mailings.clicked"].params.model_validate({"mailing": first, "within_days": 6})
    assert params == criteria["mailings.clicked"].params.model_validate(
        {"mailing": [first], "period": "last", "number": 6, "unit": "day"}
    )


@pytest.mark.parametrize("params", [{"mailing": [999]}, {"purpose": ["gone"]}])
def test_what_does_not_exist_is_refused(base_data: None, now: dt.datetime, params: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        create_selection(name="x", rule=rule("mailings.received", **params), now=now)


@pytest.mark.parametrize(
    "params", [{"mailing": "x"}, {"mailing": [0]}, {"origin": ["pigeon"]}, {"channel": "fax"}, {"times": 0}]
)
def test_params_without_meaning_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        criteria["mailings.received"].params.model_validate(params)
