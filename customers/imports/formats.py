"""Which columns each file has, and what makes a cell wrong: conditions in SQL over the staged row ``r``.

A check's ``bad`` is true for a wrong row. Reading functions (``customers_read_date`` and others, see the
migrations) give NULL for what they cannot read. Header names are Dutch, as exports of Dutch library systems
have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from django.utils.functional import lazy, lazystr
from django.utils.translation import gettext_lazy as _

from customers.facts import fact_kinds
from customers.models import ImportRun

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Check:
    """A rule: ``code`` of ``remedies``, ``bad`` the SQL condition; ``column`` whose value is shown."""

    code: str
    bad: str
    column: str = ""


@dataclass(frozen=True)
class Column:
    """One column. ``required``: the header must have it; ``filled``: a row must have something in it."""

    name: str
    explanation: str | _StrPromise
    example: str = ""
    required: bool = False
    filled: bool = False
    longest: int = 0
    checks: Sequence[Check] = ()

    def all_checks(self) -> list[Check]:
        """Return what is asked of a cell, in the order in which it is told."""
        checks = [Check("empty", f"r.{self.name} = ''")] if self.filled else []
        if self.longest:
            checks.append(Check("too_long", f"length(r.{self.name}) > {self.longest}"))
        checks += self.checks
        return [Check(check.code, check.bad, check.column or self.name) for check in checks]


@dataclass(frozen=True)
class Format:
    """One kind of file. ``joins`` makes references known to the checks; ``unique`` is the column that may not
    repeat.
    """

    code: str
    name: str | _StrPromise
    columns: Sequence[Column]
    joins: str = ""
    checks: Sequence[Check] = ()
    unique: str = ""
    notes: Sequence[str | _StrPromise] = field(default=())

    @cached_property
    def names(self) -> list[str]:
        """The names of all columns."""
        return [column.name for column in self.columns]

    @cached_property
    def all_checks(self) -> list[Check]:
        """Everything that is asked of a row."""
        return [check for column in self.columns for check in column.all_checks()] + list(self.checks)

    @property
    def header(self) -> str:
        """The header row as a file has it."""
        return ";".join(self.names)

    @property
    def example(self) -> str:
        """A row that will be accepted, as long as what it refers to exists."""
        return ";".join(column.example for column in self.columns)


def _unreadable(column: str, kind: str, code: str = "") -> Check:
    return Check(code or kind, f"r.{column} <> '' AND customers_read_{kind}(r.{column}) IS NULL")


def _choice(column: str, choices: Sequence[str], code: str = "choice") -> Check:
    words = ", ".join(f"'{word}'" for word in choices)
    return Check(code, f"r.{column} <> '' AND lower(r.{column}) NOT IN ({words})")


CUSTOMER_KINDS = {"lid": "member", "nieuwsbrief": "newsletter", "prospect": "prospect", "oud-lid": "former"}
GENDERS = {"m": "m", "v": "f", "x": "x"}
PAYMENT_METHODS = {
    "incasso": "direct_debit",
    "factuur": "invoice",
    "ideal": "ideal",
    "contant": "cash",
    "gratis": "free",
}
PURPOSES = {
    "marketing": "marketing",
    "nieuwsbrief": "newsletter",
    "profilering": "profiling",
    "service": "service",
}
CHANNELS = {"email": "email", "e-mail": "email", "post": "post", "telefoon": "phone", "sms": "sms"}
STATES = {"ja": "granted", "nee": "withdrawn", "bezwaar": "objected"}

HIGHEST_PRICE_CENTS = 10_000_000  # a year's subscription; far above it is a typing error, and the column is an int

_CODE = Check("code", "r.code <> '' AND r.code !~ '^[A-Za-z0-9_-]+$'")
_CUSTOMER = Column(
    "klantnummer", _("Number of the customer, who must be known."), "1000001", required=True, filled=True, longest=40
)
_KNOWN_CUSTOMER = Check("customer", "r.klantnummer <> '' AND customer.id IS NULL", "klantnummer")
_KNOWN_BRANCH = Check("branch", "r.vestiging <> '' AND branch.id IS NULL", "vestiging")
_JOIN_CUSTOMER = "LEFT JOIN customers_customer AS customer ON customer.number = r.klantnummer"
_JOIN_BRANCH = "LEFT JOIN customers_branch AS branch ON branch.code = r.vestiging"

_STREET = Column("straat", _("Street."), "Lindenlaan", longest=100)
_EMAIL = Column("email", _("E-mail address."), "anja.dewit@example.nl", checks=[_unreadable("email", "email")])
_POSTAL_CODE = Column("postcode", _("Dutch postal code."), "1441 AB", checks=[_unreadable("postcode", "postal_code")])
_CITY = Column("plaats", _("Place."), "Purmerend", longest=80)

BRANCHES = Format(
    ImportRun.Format.BRANCHES,
    ImportRun.Format.BRANCHES.label,
    [
        Column("code", _("Short code of the branch."), "PUR", required=True, filled=True, longest=40, checks=[_CODE]),
        Column("naam", _("Name of the branch."), "Purmerend", required=True, filled=True, longest=100),
        _STREET,
        Column("huisnummer", _("House number."), "40", longest=20),
        _POSTAL_CODE,
        _CITY,
        Column("telefoon", _("Phone number, as customers see it."), "0299-550100", longest=20),
        Column("email", _("Address from which mails are sent."), "pur@example.nl", checks=_EMAIL.checks),
    ],
    unique="code",
)

CUSTOMERS = Format(
    ImportRun.Format.CUSTOMERS,
    ImportRun.Format.CUSTOMERS.label,
    [
        Column(
            "klantnummer", _("Number of the customer; never the same for two."), "1000001",
            required=True, filled=True, longest=40,
        ),
        Column(
            "soort", lazystr(", ".join(CUSTOMER_KINDS)), "lid", required=True, filled=True,
            checks=[_choice("soort", list(CUSTOMER_KINDS), "kind")],
        ),
        Column("voorletters", _("Initials."), "A.", longest=20),
        Column("voornaam", _("First name."), "Anja", longest=80),
        Column("tussenvoegsel", _("Name prefix."), "de", longest=20),
        Column("achternaam", _("Last name."), "Wit", required=True, longest=100),
        Column(
            "geboortedatum", _("Birth date."), "1979-03-14",
            checks=[
                _unreadable("geboortedatum", "date"),
                Check(
                    "birth_date",
                    "customers_read_date(r.geboortedatum) NOT BETWEEN '1900-01-01' AND %(today)s",
                ),
            ],
        ),
        Column("geslacht", lazystr("m, v, x"), "v", checks=[_choice("geslacht", list(GENDERS))]),
        _EMAIL,
        Column("telefoon", _("Phone number."), "0612340001", checks=[_unreadable("telefoon", "phone")]),
        _STREET,
        Column("huisnummer", _("House number."), "12", longest=10),
        Column("toevoeging", _("Addition to the house number."), "a", longest=20),
        _POSTAL_CODE,
        _CITY,
        Column("vestiging", _("Code of the branch, which must be known."), "PUR"),
        Column(
            "inschrijfdatum", _("Date of registration."), "2024-02-01",
            checks=[
                _unreadable("inschrijfdatum", "date"),
                Check("future", "customers_read_date(r.inschrijfdatum) > %(today)s"),
                Check("past", "customers_read_date(r.inschrijfdatum) < '1900-01-01'"),
            ],
        ),
    ],
    joins=_JOIN_BRANCH,
    checks=[
        _KNOWN_BRANCH,
        Check(
            "name",
            "r.achternaam = '' AND (lower(r.soort) NOT IN ('nieuwsbrief', 'prospect') OR r.email = '')",
            "achternaam",
        ),
    ],
    unique="klantnummer",
)  # fmt: skip

SUBSCRIPTIONS = Format(
    ImportRun.Format.SUBSCRIPTIONS,
    ImportRun.Format.SUBSCRIPTIONS.label,
    [
        Column(
            "abonnementnummer", _("Number of the subscription; never the same for two."), "A00000001",
            required=True, filled=True, longest=40,
        ),
        _CUSTOMER,
        Column(
            "soort", _("Type of subscription, a short word of your own choice."), "volwassen",
            required=True, filled=True, longest=40,
        ),
        Column("omschrijving", _("Name, as customers see it."), "Volwassenenabonnement", longest=100),
        Column(
            "prijs", _("Price per year in euros; 0 when it is free."), "58,00", required=True, filled=True,
            checks=[
                _unreadable("prijs", "cents", "amount"),
                Check("negative", "customers_read_cents(r.prijs) < 0"),
                Check("too_much", f"customers_read_cents(r.prijs) > {HIGHEST_PRICE_CENTS}"),
            ],
        ),
        Column(
            "begindatum", _("First day."), "2024-02-01", required=True, filled=True,
            checks=[
                _unreadable("begindatum", "date"),
                Check("past", "customers_read_date(r.begindatum) < '1900-01-01'"),
            ],
        ),
        Column(
            "einddatum", _("Last day; empty while it runs."), "", required=True,
            checks=[_unreadable("einddatum", "date")],
        ),
        Column(
            "betaalwijze", lazystr(", ".join(PAYMENT_METHODS)), "incasso", required=True, filled=True,
            checks=[_choice("betaalwijze", list(PAYMENT_METHODS))],
        ),
    ],
    joins=_JOIN_CUSTOMER + """
        LEFT JOIN customers_subscription AS taken ON taken.source_id = %(source)s
            AND taken.number = r.abonnementnummer AND taken.customer_id <> customer.id
    """,
    checks=[
        _KNOWN_CUSTOMER,
        Check("order", "customers_read_date(r.einddatum) < customers_read_date(r.begindatum)", "einddatum"),
        Check("other_customer", "taken.id IS NOT NULL", "abonnementnummer"),
    ],
    unique="abonnementnummer",
)  # fmt: skip

CONSENTS = Format(
    ImportRun.Format.CONSENTS,
    ImportRun.Format.CONSENTS.label,
    [
        _CUSTOMER,
        Column("doel", lazystr(", ".join(PURPOSES)), "marketing", required=True, filled=True),
        Column(
            "kanaal", lazystr("email, post, telefoon, sms"), "email", required=True, filled=True,
            checks=[_choice("kanaal", list(CHANNELS))],
        ),
        Column(
            "status", lazystr(", ".join(STATES)), "ja", required=True, filled=True,
            checks=[_choice("status", list(STATES))],
        ),
        Column(
            "tijdstip", _("When it was said, with the time; the latest counts."), "2024-05-31 14:30",
            required=True, filled=True,
            checks=[
                _unreadable("tijdstip", "moment"),
                Check("future", "customers_read_moment(r.tijdstip) > %(now)s"),
                Check("past", "customers_read_moment(r.tijdstip) < '1990-01-01'"),
            ],
        ),
        Column("bron", _("Where it was said: form, counter, website, …"), "inschrijfformulier", longest=100),
        Column("tekstversie", _("Version of the text that was agreed to."), "2024-3", longest=40),
    ],
    joins=_JOIN_CUSTOMER + """
        LEFT JOIN customers_purpose AS purpose ON purpose.code = coalesce(
            (%(purposes)s::jsonb) ->> lower(r.doel), lower(r.doel)
        )
    """,
    checks=[_KNOWN_CUSTOMER, Check("purpose", "r.doel <> '' AND purpose.id IS NULL", "doel")],
    notes=[_("A later no is never undone by an older yes: the moment counts, not the order of importing.")],
)  # fmt: skip


def importable_kinds() -> dict[str, str]:
    """Return the word in a file -> the code, of the kinds of facts that may come from one."""
    kinds = [kind for kind in fact_kinds if kind.importable]
    return {kind.code: kind.code for kind in kinds} | {kind.dutch: kind.code for kind in kinds if kind.dutch}


def _kind_words() -> str:
    return ", ".join(kind.dutch or kind.code for kind in fact_kinds if kind.importable)


_lazy_kind_words = lazy(_kind_words, str)

FACTS = Format(
    ImportRun.Format.FACTS,
    ImportRun.Format.FACTS.label,
    [
        Column("id", _("Number of the row in its own system; never the same for two."), "U000000001",
               required=True, filled=True, longest=80),
        _CUSTOMER,
        Column(
            "soort", _lazy_kind_words(), "uitlening",
            required=True, filled=True,
            checks=[Check("kind", "r.soort <> '' AND (%(kinds)s::jsonb) ->> lower(r.soort) IS NULL")],
        ),
        Column(
            "tijdstip", _("When it happened; a date alone will do."), "2026-05-31 14:30", required=True, filled=True,
            checks=[
                Check("moment", "r.tijdstip <> '' AND happened.at IS NULL"),
                Check("future", "happened.at > %(now)s"),
                Check("past", "happened.at < '1990-01-01'"),
            ],
        ),
        Column("vestiging", _("Code of the branch, which must be known."), "PUR"),
        Column("sector", _("Part of the organisation, such as library or theatre."), "bibliotheek", longest=24),
        Column("wereld", _("World; a new one is added to the list."), "reizen", longest=40),
        Column("genre", _("Genre; never a title."), "reisgidsen", longest=40),
        Column("aantal", _("How many; 1 when empty."), "2", checks=[_unreadable("aantal", "whole")]),
        Column(
            "bedrag", _("Amount in euros, for sales and payments."), "",
            checks=[_unreadable("bedrag", "cents", "amount")],
        ),
        Column(
            "duur", _("Duration in seconds, for web visits."), "",
            checks=[_unreadable("duur", "whole"), Check("whole", "customers_read_whole(r.duur) < 0")],
        ),
    ],
    joins=f"""{_JOIN_CUSTOMER} {_JOIN_BRANCH}
        LEFT JOIN customers_fact AS taken ON taken.source_id = %(source)s
            AND taken.external_id = r.id AND taken.customer_id <> customer.id
        CROSS JOIN LATERAL (
            SELECT coalesce(
                customers_read_moment(r.tijdstip),
                customers_read_date(r.tijdstip)::timestamp AT TIME ZONE 'Europe/Amsterdam'
            ) AS at OFFSET 0
        ) AS happened
    """,
    checks=[_KNOWN_CUSTOMER, _KNOWN_BRANCH, Check("other_customer", "taken.id IS NOT NULL", "id")],
)  # fmt: skip

FORMATS: dict[str, Format] = {each.code: each for each in (BRANCHES, CUSTOMERS, SUBSCRIPTIONS, CONSENTS, FACTS)}
