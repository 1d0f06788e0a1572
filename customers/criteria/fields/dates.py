"""Questions about a date or a moment."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Literal

from django import forms
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import model_validator

from common.time import local_date
from customers.criteria.fields.base import FieldCriterion
from customers.criteria.windows import AnyWindowForm, WindowForm, WindowParams, shown_when

OPS = [
    ("within", gettext_lazy("is")),
    ("outside", gettext_lazy("is not")),
    ("empty", gettext_lazy("is empty")),
    ("filled", gettext_lazy("is not empty")),
]


class DateParams(WindowParams):
    """The window goes with "within" and "outside"."""

    op: Literal["within", "outside", "empty", "filled"] = "within"

    @model_validator(mode="after")
    def _when(self) -> DateParams:
        if self.op in ("within", "outside") and self.is_ever:
            raise ValueError(_("Choose a period."))
        return self


class _OpForm(forms.Form):
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=OPS, required=False, initial="within")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "period", "op", ("within", "outside"))


class DateForm(AnyWindowForm, _OpForm):
    field_order = ("which", "op", *WindowForm.WINDOW)


class MomentForm(WindowForm, _OpForm):
    field_order = ("which", "op", *WindowForm.WINDOW)


class DateCriterion(FieldCriterion):
    """A date of a customer; who has none is only found by "is empty"."""

    base_params = DateParams
    base_form: ClassVar[type[forms.Form]] = DateForm

    def to_q(self, params: DateParams, *, now: dt.datetime) -> Q:
        return self.spec.owner.customers(self._condition(params, now), params, now=now)

    def _condition(self, params: DateParams, now: dt.datetime) -> Q:
        column = str(self.spec.column)
        known = self.known(column, now)
        if params.op in ("empty", "filled"):
            return known if params.op == "filled" else ~known
        window = self.window(column, params, now)
        return known & (window if params.op == "within" else ~window)

    def known(self, column: str, now: dt.datetime) -> Q:
        """Return the condition that there is a date at that moment."""
        return Q(**{f"{column}__isnull": False})

    def window(self, column: str, params: DateParams, now: dt.datetime) -> Q:
        return params.on(column, now=now)

    def sentence(self, params: DateParams) -> str:
        if params.op in ("empty", "filled"):
            return self.spec.owner.having(self.noun(params), params)
        when = params.words()
        when = _("at another time than %(when)s") % {"when": when} if params.op == "outside" else when
        is_of_any = getattr(params, "which", "") == "any"
        return str(self.spec.says_of_any if is_of_any else self.spec.says) % {"when": when}

    def noun(self, params: DateParams) -> str:
        if params.op == "empty":
            return _("no %(fields)s") % {"fields": self.spec.name}
        return _("a known %(field)s") % {"field": self.spec.name}

    def words_of(self, value: Any) -> str:
        return date_format(local_date(value) if isinstance(value, dt.datetime) else value)


class PastDateCriterion(DateCriterion):
    """A date of something that has happened by then: before it, nothing was known of it."""

    def known(self, column: str, now: dt.datetime) -> Q:
        return Q(**{f"{column}__isnull": False, f"{column}__lte": local_date(now)})

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        day = getattr(customer, str(self.spec.column))
        if day and day > local_date(now):
            return _("no %(fields)s") % {"fields": self.spec.name}
        return super().seen(params, customer, now=now)


class MomentCriterion(DateCriterion):
    """A moment of a customer, asked by the day in Amsterdam; what comes after the moment asked about does not count."""

    base_form = MomentForm

    def known(self, column: str, now: dt.datetime) -> Q:
        return Q(**{f"{column}__isnull": False, f"{column}__lte": now})

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        if getattr(customer, str(self.spec.column)) > now:
            return _("no %(fields)s") % {"fields": self.spec.name}
        return super().seen(params, customer, now=now)

    def window(self, column: str, params: DateParams, now: dt.datetime) -> Q:
        return params.at(column, now=now)
