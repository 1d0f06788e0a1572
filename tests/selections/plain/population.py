"""A small population with something of everything, by chance; the same for the same seed."""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

from campaigns.models import Action, Campaign, Enrolment, Step, StepDone, StepRun
from common.sql import execute
from customers.models import (
    Absence,
    BranchPlace,
    Consent,
    ContactPoint,
    Customer,
    CustomerChange,
    Fact,
    FactRemainder,
    Guardianship,
    Household,
    MatchPair,
    Note,
    PostalPlace,
    Purpose,
    PurposeChannel,
    SchoolHoliday,
    SourceRecord,
    Subscription,
)
from labels.models import Assignment, CustomerValue, Label, LabelGroup, ValueDefinition
from labels.values import defined
from mailings.models import Click, Content, Decision, Link, Mailing, Message, Suppression
from selections.models import ResultMember, ResultSet, Selection
from tests.factories import NOW, BranchFactory, DefinitionFactory, SourceFactory, WorldFactory
from tests.selections.plain import names
from vouchers.models import Attempt, Redemption, Reversal, Voucher

DAY = dt.timedelta(days=1)
PEOPLE = 40

_TOTALS = """
INSERT INTO customers_facttotal (customer_id, kind, first_at, last_at, count, quantity, amount_cents)
SELECT customer_id, kind, min(first_at), max(last_at), sum(count), sum(quantity), sum(amount_cents) FROM (
    SELECT customer_id, kind, occurred_at AS first_at, occurred_at AS last_at, 1 AS count, quantity, amount_cents
    FROM customers_fact
    UNION ALL
    SELECT customer_id, kind, first_at, last_at, count, quantity, amount_cents FROM customers_factremainder
) AS known GROUP BY customer_id, kind
"""


class Population:
    """Fills the database; ``chance`` decides."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.sources = [SourceFactory(code=code) for code in names.SOURCES]
        self.ours = SourceFactory(code="mailings")
        self.branches = [BranchFactory(code=code, name=name, city=name) for code, name in
                         zip(names.BRANCHES, ("Purmerend", "Edam", "Vólendam"), strict=True)]  # fmt: skip
        for code in names.WORLDS:
            WorldFactory(code=code)
        self.people = self._customers()
        self._contacts()
        self._subscriptions()
        self._places()
        self._facts()
        self._notes()
        self._consents()
        self._records()
        self._labels()
        self._mailings()
        self._vouchers()
        self._campaigns()
        self._selections()
        self._values()
        execute(_TOTALS)

    # --- chance -------------------------------------------------------------------------------------------------------

    def moment(self, days: float = 900, ahead: float = 30) -> dt.datetime:
        """Return a moment, sometimes just at the start of a day or at the present to the second."""
        around = self.chance.choice([NOW, NOW.replace(hour=0), NOW.replace(hour=23, minute=30)])
        if self.chance.random() < 0.3:
            return around - self.chance.randint(0, 40) * DAY
        return NOW - dt.timedelta(days=self.chance.uniform(-ahead, days))

    def day(self, days: int = 900, ahead: int = 60) -> dt.date:
        return NOW.date() - self.chance.randint(-ahead, days) * DAY

    def some(self, share: float) -> list[Customer]:
        return [person for person in self.people if self.chance.random() < share]

    # --- people -------------------------------------------------------------------------------------------------------

    def _customers(self) -> list[Customer]:
        homes = [Household.objects.create(key=f"1441AB|{number}|") for number in range(8)]
        people = [self._customer(number, homes) for number in range(PEOPLE)]
        Customer.objects.bulk_create(people)
        for person in self.chance.sample(people, 3):  # merged into another
            into = self.chance.choice([one for one in people if one is not person and not one.merged_into_id])
            Customer.everyone.filter(pk=person.pk).update(merged_into=into)
            person.merged_into_id = into.pk
        self.known = people
        return [person for person in people if person.merged_into_id is None]

    def _customer(self, number: int, homes: list[Household]) -> Customer:
        chance = self.chance
        today = NOW.date()
        births = [
            None, dt.date(2008, 2, 29), dt.date(1880, 5, 5), today + 40 * DAY,
            today.replace(year=today.year - chance.choice([12, 16, 18, 65])) - chance.randint(-1, 1) * DAY,
            today.replace(year=chance.randint(1930, 2024)) - chance.randint(0, 364) * DAY,
            today.replace(year=chance.randint(1930, 2024)) - chance.randint(0, 364) * DAY,
        ]  # fmt: skip
        return Customer(
            number=f"K{number}",
            card_number=chance.choice(["", f"2900{number}"]),
            kind=chance.choice(names.KINDS),
            initials=chance.choice(["A.", "B.C.", "É.", ""]),
            first_name=chance.choice(["Anna", "Zoë", "renée", ""]),
            name_prefix=chance.choice(["", "de", "van der"]),
            last_name=chance.choice(["Jansen", "Müller", "vos", ""]),
            birth_date=chance.choice(births),
            gender=chance.choice(["", "f", "m", "x"]),
            street=chance.choice(["Lindenlaan", "Kade", "Één straat", ""]),
            house_number=chance.choice(["12", "7", "33a", "x", ""]),
            house_number_addition=chance.choice(["", "a", "bis"]),
            postal_code=chance.choice(["1441AB", "1447KL", "1448AA", "1131AA", "12AB", "1441SS", ""]),
            city=chance.choice(["Purmerend", "Edam", "VOLENDAM", "Monníckendam", ""]),
            branch=chance.choice([None, *self.branches]),
            household=chance.choice([None, *homes]),
            registered_on=chance.choice([None, self.day(900), self.day(40, 0), dt.date(2015, 3, 1)]),
            deceased_on=chance.choice([None] * 7 + [self.day(300)]),
            address_state=chance.choice(["", "", "moved", "returned"]),
            restricted_at=chance.choice([None] * 9 + [NOW - 5 * DAY]),
            source=chance.choice(self.sources),
            created_at=chance.choice([NOW - 2000 * DAY, self.moment(900, 0)]),
            updated_at=self.moment(400, 0),
        )

    def _contacts(self) -> None:
        points = []
        for number, person in enumerate(self.known):
            emails = [f"k{number}@example.nl", "samen@example.nl", f"k{number}@other.org", "geen-adres"]
            phones = [f"+3161234{number:04}", "+31201234567", "0612"]
            for channel, values in (("email", emails), ("phone", phones)):
                for place, value in enumerate(self.chance.sample(values, self.chance.randint(0, 2))):
                    is_primary = place == 0 and self.chance.random() < 0.9
                    points.append(ContactPoint(customer=person, channel=channel, value=value, is_primary=is_primary,
                                               source=self.sources[0], updated_at=NOW))  # fmt: skip
        ContactPoint.objects.bulk_create(points)

    def _subscriptions(self) -> None:
        made: list[Subscription] = []
        for person in self.people:
            for _time in range(self.chance.choice([0, 1, 1, 2, 3])):
                began = self.chance.choice([self.day(4500, 90), NOW.date() - self.chance.randint(0, 2) * DAY])
                until = self.chance.choice([None, began, began + self.chance.randint(1, 2000) * DAY, NOW.date()])
                made.append(Subscription(
                    customer=person, number=f"A{len(made)}", type=self.chance.choice(["volwassen", "jeugd", "weg"]),
                    name=self.chance.choice(["Volwassenen", "Jéugd", ""]),
                    price_cents=self.chance.choice([0, 2500, 5800]),
                    started_on=began, ended_on=until if until is None or until >= began else None,
                    payment_method=self.chance.choice(names.PAYMENTS), source=self.sources[0],
                ))  # fmt: skip
        Subscription.objects.bulk_create(made)
        SchoolHoliday.objects.all().delete()
        for name, first, last in (
            ("mei", (4, 25), (5, 3)),
            ("zomer", (7, 11), (8, 23)),
            ("herfst", (10, 10), (10, 18)),
        ):
            for year in (2024, 2025, 2026):
                for region in ("noord", "zuid"):
                    shift = 7 * DAY if region == "zuid" else 0 * DAY
                    SchoolHoliday.objects.create(region=region, name=name, school_year=year - (name != "herfst"),
                                                 first_day=dt.date(year, *first) + shift,
                                                 last_day=dt.date(year, *last) + shift)  # fmt: skip

    # --- what they did, said and got ----------------------------------------------------------------------------------

    def _places(self) -> None:
        for code, latitude, longitude in (("1441AB", 52.51, 4.95), ("1447KL", 52.53, 4.98), ("1441", 52.5, 4.94),
                                          ("1131", 52.49, 5.07), ("1448", 52.6, 5.2)):  # fmt: skip
            PostalPlace.objects.create(code=code, latitude=latitude, longitude=longitude)
        for branch, latitude, longitude in zip(self.branches, (52.505, 52.512), (4.96, 5.05), strict=False):
            BranchPlace.objects.create(branch=branch, latitude=latitude, longitude=longitude)

    def _facts(self) -> None:
        made: list[Fact] = []
        for person in self.some(0.8):
            for _time in range(self.chance.randint(1, 16)):
                kind = self.chance.choice(names.FACTS)
                made.append(self._fact(person, kind, len(made)))
        Fact.objects.bulk_create(made)
        FactRemainder.objects.bulk_create(
            FactRemainder(customer=person, kind=self.chance.choice(names.FACTS), origin=person.pk,
                          first_at=NOW - 3000 * DAY, last_at=NOW - 2800 * DAY, count=self.chance.randint(1, 4),
                          quantity=self.chance.randint(1, 6), amount_cents=self.chance.randint(0, 5000))
            for person in self.some(0.15)
        )  # fmt: skip

    def _fact(self, person: Customer, kind: str, number: int) -> Fact:
        chance = self.chance
        return Fact(
            customer=person, kind=kind, occurred_at=self.moment(), branch=chance.choice([None, *self.branches]),
            sector=chance.choice(["", *names.SECTORS]), world=chance.choice(["", *names.WORLDS]),
            genre=chance.choice(["", *names.GENRES]), quantity=chance.choice([1, 1, 2, 4, -1]),
            amount_cents=chance.choice([0, 1250, 2500, 5000, -1250]), duration_seconds=chance.choice([0, 30, 61, 400]),
            source=chance.choice(self.sources), external_id=f"F{number}",
            order_number=chance.choice([None, "O1", "O2"]),
        )  # fmt: skip

    def _notes(self) -> None:
        Note.objects.bulk_create(
            Note(customer=person, kind=self.chance.choice(["call", "visit", "note"]), text="x", author="Piet",
                 happened_at=self.moment(), source=self.sources[0], created_at=NOW, updated_at=NOW)
            for person in self.some(0.5)
        )  # fmt: skip
        CustomerChange.objects.bulk_create(
            CustomerChange(
                customer=person, fields={"city": ["a", "b"]}, changed_by="Piet", changed_at=self.moment(1500, 0)
            )
            for person in self.some(0.3)
        )

    def _consents(self) -> None:
        purposes = list(Purpose.objects.filter(code__in=names.PURPOSES))
        PurposeChannel.objects.update(since=None)
        given: list[Consent] = []
        for person in self.some(0.9):
            for _time in range(self.chance.randint(1, 5)):
                moment = self.moment() + dt.timedelta(microseconds=len(given) // 2)  # at times two at one moment
                given.append(Consent.objects.create(
                    customer=person, purpose=self.chance.choice(purposes), channel=self.chance.choice(names.CHANNELS),
                    state=self.chance.choice(["granted", "granted", "withdrawn", "objected"]), source=self.sources[0],
                    actor="test", wording_version=self.chance.choice(["", "2024-1"]), event_at=moment,
                    guardian_id=self.chance.choice([None, None, 1]),
                ))  # fmt: skip
        for number, person in enumerate(self.some(0.4)):
            Consent.objects.create(
                customer=person, purpose=self.chance.choice(purposes), channel="email", source=self.ours, actor="x",
                state=self.chance.choice(["withdrawn", "objected", "granted"]),
                event_at=self.moment() + dt.timedelta(milliseconds=1 + number),
                evidence=self.chance.choice([{}, {"mailing": names.MAILINGS[0]}, {"mailing": names.MAILINGS[1]}]),
            )  # fmt: skip
        for row in self.chance.sample(given, 8):
            Consent.objects.create(
                customer=row.customer, purpose=row.purpose, channel=row.channel, state="retracted", retracts=row,
                source=self.sources[0], actor="test", event_at=self.moment(),
            )  # fmt: skip

    def _records(self) -> None:
        records = [
            SourceRecord(source=source, key=person.number, customer=person, created_at=self.moment(), updated_at=NOW)
            for person in self.people
            for source in self.sources
            if self.chance.random() < 0.4
        ]
        SourceRecord.objects.bulk_create(records)
        Absence.objects.bulk_create(
            Absence(record=record, since=self.moment(500), run_id=1) for record in self.chance.sample(records, 8)
        )
        pairs = {tuple(sorted((one.pk, two.pk))) for one, two in zip(self.some(0.3), self.some(0.3), strict=False)}
        for first, second in pairs:
            if first != second:
                MatchPair.objects.create(first_id=first, second_id=second, score=70, found_at=NOW,
                                         state=self.chance.choice(["open", "different"]))  # fmt: skip
        for child, guardian in zip(self.some(0.3), self.chance.sample(self.known, 10), strict=False):
            if child.pk != guardian.pk:
                Guardianship.objects.create(
                    child=child, guardian=guardian, source=self.sources[0], created_at=self.moment(400)
                )

    def _labels(self) -> None:
        groups = [LabelGroup.objects.create(code=code, name=code) for code in names.GROUPS]
        labels = [
            Label.objects.create(code=code, name=code.title(), kind="own", created_at=NOW, rank=place % 3,
                                 group=groups[0] if place < 3 else None)
            for place, code in enumerate(names.LABELS)
        ]  # fmt: skip
        for person in self.some(0.8):
            for label in self.chance.sample(labels, 2):
                self._hold(label, person, sorted(self.moment() for _time in range(4)))
            self._move(person, labels)

    def _hold(self, label: Label, person: Customer, moments: list[dt.datetime]) -> None:
        """Have a label once or twice, the second time perhaps still."""
        if moments[0] < moments[1]:
            self._held(label, person, moments[0], moments[1])
        if moments[1] < moments[2] < moments[3] and self.chance.random() < 0.6:
            self._held(label, person, moments[2], self.chance.choice([None, moments[3]]))

    def _move(self, person: Customer, labels: list[Label]) -> None:
        """Go from one label of the group to another, long ago."""
        one, other = self.chance.sample(labels[:3], 2)
        moments = [NOW - self.chance.randint(low, low + 200) * DAY for low in (1500, 1200, 1000)]
        if self.chance.random() < 0.7:
            moments = [moment + 950 * DAY for moment in moments]
        if not Assignment.objects.filter(customer=person, label__in=[one, other]).exists():
            self._held(one, person, moments[0], moments[1])
            self._held(other, person, moments[1], self.chance.choice([None, moments[2]]))

    def _held(self, label: Label, person: Customer, since: dt.datetime, until: dt.datetime | None) -> None:
        by = ["system", "customer", "import 3", "Piet", "merge"]
        how = ["", "", "rule", "hand"]
        taken = {"taken_by": self.chance.choice(by), "taken_how": self.chance.choice(how)} if until else {}
        Assignment.objects.create(
            label=label, customer=person, since=since, until=until, given_by=self.chance.choice(by),
            given_how=self.chance.choice(how), **taken,
        )  # fmt: skip

    def _mailings(self) -> None:
        self.contents = []
        for number, origin, code in zip(
            names.MAILINGS, ("action:3", "step:9"), ("newsletter", "marketing"), strict=True
        ):
            content = Content.objects.create(id=number, name=f"Content {number}", updated_at=NOW)
            self.contents.append(content)
            mailing = Mailing.objects.create(
                id=number, name=f"Mailing {number}", origin=origin, due_key=f"test {number}", channels="email",
                purpose=Purpose.objects.get(code=code), content=content, created_at=NOW,
            )  # fmt: skip
            links = [Link.objects.create(mailing=mailing, position=place, url=f"https://example.nl/{path}")
                     for place, path in enumerate(["a", "b"])]  # fmt: skip
            for person in self.some(0.6):
                self._message(mailing, person, links)
            Decision.objects.bulk_create(
                Decision(mailing=mailing, customer=person, channel=self.chance.choice(["", "email", "post"]),
                         outcome=self.chance.choice(["accepted", "hold_out", "withdrawn", "no_address"]),
                         decided_at=self.moment(400))
                for person in self.some(0.6)
            )  # fmt: skip
        for point in ContactPoint.objects.filter(channel="email").order_by("value").distinct("value"):
            if self.chance.random() < 0.4:
                Suppression.objects.create(
                    address=point.value, reason=self.chance.choice(["bounce", "complaint", "manual"]),
                    since=self.moment(), released_at=self.chance.choice([None, None, self.moment()]),
                )  # fmt: skip

    def _message(self, mailing: Mailing, person: Customer, links: list[Link]) -> None:
        state = self.chance.choice(["sent", "sent", "sent", "failed", "withdrawn", "queued"])
        message = Message.objects.create(
            mailing=mailing, customer=person, channel=self.chance.choice(["email", "email", "post"]), state=state,
            state_at=self.moment(400), next_attempt_at=NOW, sent_at=self.moment() if state == "sent" else None,
        )  # fmt: skip
        if state == "sent" and self.chance.random() < 0.5:
            Click.objects.create(message=message, link=self.chance.choice(links), clicked_at=self.moment())
        if state == "sent" and self.chance.random() < 0.5:
            source = self.chance.choice([self.ours, self.ours, self.sources[0]])
            Fact.objects.create(customer=person, kind="open", occurred_at=self.moment(), source=source,
                                external_id=f"open:{message.pk}")  # fmt: skip

    def _vouchers(self) -> None:
        for number in names.DEFINITIONS:
            definition = DefinitionFactory(id=number, uses_per_code=self.chance.choice([1, 2]))
            for person in self.some(0.6):
                self._voucher(definition, person)

    def _voucher(self, definition: Any, person: Customer) -> None:
        issued = self.moment(400)
        voucher = Voucher.objects.create(
            definition=definition, code=f"{definition.pk}X{person.pk}", customer=person, origin="test",
            issued_at=issued, valid_from=issued.date(), blocked_at=self.chance.choice([None, None, self.moment(100)]),
            valid_until=self.chance.choice([None, issued.date() + 30 * DAY, NOW.date() + 61 * DAY + 400 * DAY]),
        )  # fmt: skip
        for time in range(self.chance.choice([0, 0, 1, 1, 2])):
            redemption = Redemption.objects.create(
                voucher=voucher, customer=person, channel="counter", idempotency_key=f"{voucher.pk}-{time}",
                fingerprint="x", redeemed_at=self.moment(400), branch=self.chance.choice([None, *self.branches]),
                discount_cents=self.chance.choice([0, 250, 600]),
            )  # fmt: skip
            if self.chance.random() < 0.4:
                Reversal.objects.create(redemption=redemption, reason="x", reversed_at=self.moment(200))
        if self.chance.random() < 0.4:
            Attempt.objects.create(code="x", voucher=voucher, reason=self.chance.choice(["used", "expired", "limit"]),
                                   channel="counter", tried_at=self.moment(400))  # fmt: skip

    def _campaigns(self) -> None:
        purpose = Purpose.objects.get(code="marketing")
        for number, content in zip(names.ACTIONS, self.contents, strict=True):
            Action.objects.create(id=number, name=f"Action {number}", purpose=purpose, channels="email",
                                  content=content, created_at=NOW)  # fmt: skip
        for number in names.CAMPAIGNS:
            campaign = Campaign.objects.create(id=number, name=f"Campaign {number}", kind="free", created_at=NOW)
            step = Step.objects.create(
                id=number, campaign=campaign, action_id=names.ACTIONS[0], day=3, added_on=NOW.date()
            )
            runs = [StepRun.objects.create(step=step, due_on=NOW.date() - 30 * part * DAY, ran_at=NOW - 30 * part * DAY)
                    for part in range(4)]  # fmt: skip
            for person in self.some(0.6):
                state = self.chance.choice(["active", "completed", "left"])
                entered = self.day(300)
                moment = dt.datetime.combine(entered, dt.time(15), tzinfo=NOW.tzinfo)
                stay = Enrolment.objects.create(
                    campaign=campaign, customer=person, entered_on=entered, entered_by="test", state=state,
                    left_at=None if state == "active" else moment + self.chance.randint(0, 200) * DAY,
                    left_reason=self.chance.choice(["", "customer", "staff"]) if state == "left" else "",
                    next_step=step if state == "active" and self.chance.random() < 0.5 else None,
                )  # fmt: skip
                if self.chance.random() < 0.5:
                    run = self.chance.choice(runs)
                    StepDone.objects.create(enrolment=stay, customer=person, step=step, run=run)

    def _values(self) -> None:
        for code, what in (("test", "amount"), ("quiet", "recency")):
            terms = [{"weight": 1, "what": what, "kinds": ["loan"], "months": 24}]
            value = ValueDefinition.objects.create(code=code, name=code, unit="number", terms=terms, created_at=NOW)
            CustomerValue.objects.bulk_create(
                CustomerValue(customer=person, value=value, number=self.chance.choice([-20000, -20500.0, 0, 3, 17.5]))
                for person in self.some(0.6)
            )
        defined.forget()

    def _selections(self) -> None:
        adults: Any = {"criterion": "customer.age", "params": {"at_least": 18}}
        borrowers: Any = {"criterion": "facts.count", "params": {"kind": "loan", "op": "at_least", "times": 2}}
        first = {"version": 2, "op": "all", "children": [adults]}
        second = {"version": 2, "op": "any", "children": [borrowers], "picks": [{"pick": "sample", "size": 9}]}
        third = {"version": 2, "op": "none", "children": [
            {"criterion": "selections.in", "params": {"selection": names.SELECTIONS[0]}},
            {"criterion": "selections.in", "params": {"selection": names.SELECTIONS[1]}},
        ]}  # fmt: skip
        for number, rule in zip(names.SELECTIONS, (first, second, third), strict=True):
            Selection.objects.create(id=number, name=f"Selection {number}", rule=rule, created_at=NOW, updated_at=NOW)
        for number in names.SELECTIONS[:2]:
            kept = ResultSet.objects.create(id=number, name=f"Kept {number}", sentence="", as_of=NOW, member_count=0,
                                            made_at=NOW)  # fmt: skip
            ResultMember.objects.bulk_create(
                ResultMember(result_set=kept, customer=person) for person in self.chance.sample(self.known, 12)
            )


__all__ = ["PEOPLE", "Population"]
