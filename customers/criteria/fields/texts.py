"""Questions about a text."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Literal

from django import forms
from django.db.models import Q, TextField, Value
from django.db.models.lookups import Contains, EndsWith, Exact, In, IRegex, StartsWith
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, field_validator, model_validator

from common.criteria import Params
from customers.criteria import wording
from customers.criteria.fields.base import FieldCriterion, IndexedPlain, Plain, plain
from customers.criteria.fields.patterns import require_pattern
from customers.criteria.windows import shown_when

TextOp = Literal[
    "is", "not", "in", "not_in", "contains", "not_contains", "starts", "not_starts", "ends", "not_ends", "matches",
    "not_matches", "empty", "filled",
]  # fmt: skip
OPS = [
    ("is", gettext_lazy("is")),
    ("not", gettext_lazy("is not")),
    ("in", gettext_lazy("is one of")),
    ("not_in", gettext_lazy("is none of")),
    ("contains", gettext_lazy("contains")),
    ("not_contains", gettext_lazy("does not contain")),
    ("starts", gettext_lazy("begins with")),
    ("not_starts", gettext_lazy("does not begin with")),
    ("ends", gettext_lazy("ends with")),
    ("not_ends", gettext_lazy("does not end with")),
    ("matches", gettext_lazy("has the pattern")),
    ("not_matches", gettext_lazy("does not have the pattern")),
    ("empty", gettext_lazy("is empty")),
    ("filled", gettext_lazy("is not empty")),
]
#: Negative question -> the question of which it is the opposite.
OPPOSITE = {
    "not": "is", "not_in": "in", "not_contains": "contains", "not_starts": "starts", "not_ends": "ends",
    "not_matches": "matches", "empty": "filled",
}  # fmt: skip
_OF_LIST, _OF_NOTHING = ("in", "not_in"), ("empty", "filled")
_OF_VALUE = tuple(op for op, _label in OPS if op not in (*_OF_LIST, *_OF_NOTHING))


class TextParams(Params):
    """``value`` goes with most questions, ``values`` with "in" and "not_in"."""

    op: TextOp = "is"
    value: str = Field(default="", max_length=200)
    values: list[str] = Field(default=[], max_length=1000)

    @field_validator("values")
    @classmethod
    def _filled_in(cls, values: list[str]) -> list[str]:
        if any(len(value) > 200 for value in values):
            raise ValueError(_("A text has at most %d characters.") % 200)
        return [value.strip() for value in values if value.strip()]

    @model_validator(mode="after")
    def _complete(self) -> TextParams:
        if self.op in _OF_VALUE and not self.value.strip():
            raise ValueError(_("Fill in a text, or choose “is empty”."))
        if self.op in _OF_LIST and not self.values:
            raise ValueError(_("Fill in at least one text."))
        if self.op in ("matches", "not_matches"):
            require_pattern(self.value)
        return self


class Lines(forms.Textarea):
    """A list of texts, one a line."""

    def format_value(self, value: Any) -> str:
        return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        sent = data.getlist(name) if hasattr(data, "getlist") else data.get(name)
        return "\n".join(map(str, sent)) if isinstance(sent, list | tuple) else sent


class LinesField(forms.CharField):
    """Texts with an end of line, a comma or a semicolon between them."""

    widget = Lines

    def to_python(self, value: Any) -> Any:
        return [part.strip() for part in re.split(r"[\n,;]", super().to_python(value) or "") if part.strip()]

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))  # they look at a text: how long it is, and for NUL

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(list(initial or []) != self.to_python(data))


class TextForm(forms.Form):
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=OPS, initial="is")
    value = forms.CharField(label=gettext_lazy("Text"), required=False, max_length=200)
    values = LinesField(
        label=gettext_lazy("Texts"),
        required=False,
        max_length=20000,
        widget=Lines(attrs={"rows": 3}),
        help_text=gettext_lazy("One a line, or with commas between them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown_when(self, "value", "op", _OF_VALUE)
        shown_when(self, "values", "op", _OF_LIST)


class TextCriterion(FieldCriterion):
    """A text of a customer; a negative question also finds who has no such text at all."""

    base_params = TextParams
    base_form = TextForm

    def to_q(self, params: TextParams, *, now: dt.datetime) -> Q:
        positive = OPPOSITE.get(params.op)
        # The opposite of what an index finds is all others: then the plainer words are quicker.
        condition = self._condition(positive or params.op, params, by_index=not positive)
        owner = self.spec.owner
        if positive and not owner.one:
            return owner.customers(~condition, params, now=now)
        found = owner.customers(condition, params, now=now)
        return ~found if positive else found

    def _condition(self, op: str, params: TextParams, *, by_index: bool) -> Q:
        column = self.spec.expression
        if op == "filled":
            return ~Q(Exact(column, Value("", output_field=TextField())))
        if op == "matches":
            return Q(IRegex(column, params.value))
        lookup = _LOOKUPS[op]
        if normal := self.spec.normal:
            value = params.value.strip()
            given: Any = [normal(v) or v for v in params.values] if op == "in" else normal(value) or value
            q = Q(lookup(column, given))
            within = self.spec.normal_within if op in ("contains", "ends") else None
            return q | Q(lookup(column, within(value) or value)) if within else q
        given = [plain(v) for v in params.values] if op == "in" else plain(params.value.strip())
        is_indexed = by_index and self.spec.is_indexed and op in ("is", "in", "starts")
        return Q(lookup(IndexedPlain(column) if is_indexed else Plain(column), given))

    def noun(self, params: TextParams) -> str:
        texts = params.values if params.op in _OF_LIST else [params.value.strip()]
        quoted = wording.one_of(_("“%s”") % text for text in texts)
        nouns = _NOUNS if self.spec.owner.one else _NOUNS | _NOUNS_OF_SEVERAL
        return nouns[params.op]() % {"field": self.spec.name, "fields": self.spec.name, "text": quoted}

    def words_of(self, value: Any) -> str:
        return str(_("“%s”") % value)


_LOOKUPS: dict[str, Any] = {
    "is": Exact, "in": In, "contains": Contains, "starts": StartsWith, "ends": EndsWith,
}  # fmt: skip
_NOUNS: dict[str, Callable[[], str]] = {
    "is": lambda: _("%(text)s as %(field)s"),
    "in": lambda: _("%(text)s as %(field)s"),
    "not": lambda: _("not %(text)s as %(field)s"),
    "not_in": lambda: _("not %(text)s as %(field)s"),
    "contains": lambda: _("a %(field)s with %(text)s in it"),
    "not_contains": lambda: _("no %(field)s with %(text)s in it"),
    "starts": lambda: _("a %(field)s beginning with %(text)s"),
    "not_starts": lambda: _("no %(field)s beginning with %(text)s"),
    "ends": lambda: _("a %(field)s ending with %(text)s"),
    "not_ends": lambda: _("no %(field)s ending with %(text)s"),
    "matches": lambda: _("a %(field)s of the pattern %(text)s"),
    "not_matches": lambda: _("no %(field)s of the pattern %(text)s"),
    "empty": lambda: _("no %(fields)s"),
    "filled": lambda: _("a known %(field)s"),
}
_NOUNS_OF_SEVERAL: dict[str, Callable[[], str]] = {
    "not": lambda: _("something else than %(text)s as %(field)s"),
    "not_in": lambda: _("something else than %(text)s as %(field)s"),
    "not_contains": lambda: _("a %(field)s without %(text)s in it"),
    "not_starts": lambda: _("a %(field)s not beginning with %(text)s"),
    "not_ends": lambda: _("a %(field)s not ending with %(text)s"),
    "not_matches": lambda: _("a %(field)s not of the pattern %(text)s"),
    "empty": lambda: _("nothing as %(field)s"),
}
