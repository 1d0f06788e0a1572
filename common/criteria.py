"""The shape of an audience criterion; every app adds its own in a module ``criteria.py``.

A criterion is one question about a customer ("has the label X", "borrowed at least N times since …"). It
lives on the ground floor so that customers may declare some as well; the language that combines them is in
``selections``.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db.models import Model, QuerySet
from pydantic import BaseModel, ConfigDict

from common.registry import Registry

if TYPE_CHECKING:
    from django.db.models import Q
    from django.utils.functional import _StrPromise


class Params(BaseModel):
    """What the marketeer filled in; JSON-serialisable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(ABC):
    """One question about a customer.

    Pure: reads no clock, and no more of the database than a name or a definition. The names of the form's
    fields are the names of the params, so a form can be filled from params and the reverse.
    """

    code: ClassVar[str]
    group: ClassVar[str | _StrPromise]
    label: ClassVar[str | _StrPromise]
    params: ClassVar[type[Params]]
    form: ClassVar[type[forms.Form]]  # cleaned_data, made JSON-serialisable by ``read``, is the params
    #: Why it cannot be answered for a past day, as "Only the present kind is kept."; empty when it can.
    forgets: ClassVar[str | _StrPromise] = ""

    @abstractmethod
    def to_q(self, params: Any, *, now: dt.datetime) -> Q:
        """Return the condition over ``customers.Customer`` (sub-queries for anything to-many, no joins)."""

    @abstractmethod
    def sentence(self, params: Any) -> str:
        """Return the criterion in words, in the active language.

        It completes "Customers who …" / "Klanten die …"; in Dutch a subordinate clause, verb last:
        "in de afgelopen 90 dagen minstens 3 keer leenden".
        """

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        """Return in words what the criterion saw of one ``customers.Customer`` at ``now``: "born 3 April 1980, so 46".

        It stands behind the verdict on the page that tells why somebody is in or out; it never gives a verdict itself.
        """
        return ""

    def gap(self, params: Any, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer at ``now``, a moment before ``present``, would be a guess; empty when it is not.

        What is kept as intervals, in the ledger or as facts is known at any moment; most fields are only known as they
        are at present (``forgets``), and facts only as far back as they are kept.
        """
        return str(self.forgets)

    def read(self, cleaned_data: Mapping[str, Any]) -> Params:
        """Turn a valid form into params; raises pydantic's ValidationError when they do not fit together."""
        return self.params.model_validate(
            {name: _plain(value) for name, value in cleaned_data.items() if value not in (None, "")}
        )

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows for these params."""
        return params.model_dump(mode="json", exclude_none=True)

    def check(self, params: Any) -> None:
        """Refuse (``Refused``) params that point at something that is not there; asked when a rule is saved.

        May run queries; by default everything that ``params`` accepts is well.
        """
        return


def _plain(value: Any) -> Any:
    """Return a cleaned value as JSON holds it: rows by their code, dates as ISO text."""
    if isinstance(value, Model):
        return getattr(value, "code", value.pk)
    if isinstance(value, QuerySet | list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value


criteria: Registry[Criterion] = Registry("criterion")
