"""What sources say of one customer, in words for the pages: values as people read them, and who said so and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from common.templatetags.ui import phone
from customers.golden import Said
from customers.models import Branch, Customer, Source
from customers.records import ADDRESS, FIELDS

DATES = ("birth_date", "registered_on", "deceased_on")
NAME = ("first_name", "name_prefix", "last_name")


@dataclass(frozen=True)
class Word:
    """A source, what it says in words, since when; ``differs`` when that is not what holds."""

    source: Source
    text: str
    at: dt.datetime
    differs: bool = False


@dataclass(frozen=True)
class Line:
    """One field: its name and value in words, whose word that is, and what others say."""

    code: str
    name: str
    text: str = ""
    said: Word | None = None
    others: list[Word] = field(default_factory=list)

    @property
    def differs(self) -> bool:
        """Whether another source says something else."""
        return any(other.differs for other in self.others)


def shown(code: str, text: str, branches: Mapping[str, str]) -> str:
    """Return the text of a record as people read it."""
    if code in DATES and (day := parse_date(text) if len(text) == 10 else None):
        return date_format(day, "j F Y")
    choices: dict[str, Any] = {
        "kind": Customer.Kind,
        "gender": Customer.Gender,
        "address_state": Customer.AddressState,
    }
    if code in choices and text in choices[code].values:
        return str(choices[code](text).label)
    if code == "branch":
        return branches.get(text, text)
    if code == "phone":
        return phone(text)
    return f"{text[:4]} {text[4:]}" if code == "postal_code" and len(text) == 6 else text


def lines(told: Mapping[str, Said]) -> dict[str, Line]:
    """Return field -> line for every field that a source has something about."""
    branches = dict(Branch.objects.values_list("code", "name"))
    return {
        code: Line(
            code,
            str(FIELDS[code].name),
            shown(code, said.value, branches),
            Word(said.source, shown(code, said.value, branches), said.at),
            [
                Word(other.source, shown(code, other.value, branches), other.at, other.value != said.value)
                for other in said.others
            ],
        )
        for code, said in told.items()
    }


def together(told: Mapping[str, Said], codes: tuple[str, ...], code: str, name: str) -> Line:
    """Return one line for fields that are read as one: a name, an address; each source with all that it says."""
    leading = next((told[one] for one in reversed(codes) if one in told), None)
    if leading is None:
        return Line(code, name)
    texts: dict[Source, dict[str, Said]] = {}
    for one in codes:
        if one in told:
            for said in (told[one], *told[one].others):
                texts.setdefault(said.source, {})[one] = said
    whole = {source: _whole({one: said.value for one, said in parts.items()}) for source, parts in texts.items()}
    holds = _whole({one: told[one].value for one in codes if one in told})
    others = [
        Word(source, whole[source], max(said.at for said in parts.values()), whole[source] != holds)
        for source, parts in texts.items()
        if source != leading.source
    ]
    return Line(code, name, holds, Word(leading.source, holds, leading.at), others)


def _whole(parts: Mapping[str, str]) -> str:
    """Return a name or an address on one line."""
    if any(one in parts for one in NAME):
        return " ".join(filter(None, (parts.get(one, "") for one in NAME)))
    street, number, addition, code, city = (parts.get(one, "") for one in ADDRESS)
    place = " ".join(filter(None, [f"{code[:4]} {code[4:]}".strip(), city]))
    return ", ".join(filter(None, [f"{street} {number}{addition}".strip(), place]))


def name_line(told: Mapping[str, Said]) -> Line:
    """Return the line of the name."""
    return together(told, NAME, "name", _("Name"))


def address_line(told: Mapping[str, Said]) -> Line:
    """Return the line of the address."""
    return together(told, ADDRESS, "address", _("Address"))
