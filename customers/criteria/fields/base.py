"""What a field is, and what all criteria about a field share. A field is declared once, in ``specs``."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms
from django.db.models import F, Func, TextField, Value
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _

from common.criteria import Criterion, Params
from customers.criteria import wording
from customers.criteria.fields.owners import Owner, shown


@dataclass(frozen=True)
class FieldSpec:
    """One field. ``label`` is how a menu names it, ``name`` how a sentence does ("city", "plaats").

    ``column`` is a column of what ``owner`` speaks of, or an expression over it. ``forgets`` is as in ``Criterion``.
    Of texts ``normal`` brings what somebody typed in the form in which the column has it; without it case and accents
    make no difference; ``normal_within`` brings it in the form it may have further on. Of dates ``says`` completes
    "customers who …", with the window in it; ``says_of_any`` the same of subscriptions of any time. Of choices
    ``choices`` returns them.
    """

    code: str
    label: Any
    name: Any
    owner: Owner
    column: str | Combinable
    forgets: Any = ""
    normal: Callable[[str], str] | None = None
    normal_within: Callable[[str], str] | None = None
    is_indexed: bool = False
    says: Any = ""
    says_of_any: Any = ""
    choices: Callable[[], wording.Choices] | None = None

    @property
    def expression(self) -> Combinable:
        """What the field holds, over the owner's table."""
        return F(self.column) if isinstance(self.column, str) else self.column


class Plain(Func):
    """A text as people compare it: without capitals and accents."""

    template = "lower(public.unaccent('public.unaccent'::regdictionary, %(expressions)s))"
    output_field = TextField()


class IndexedPlain(Func):
    """The same, as the index of the column has it."""

    function = "customers_plain"
    output_field = TextField()


def plain(text: str) -> Combinable:
    """Return a text that was typed, without capitals and accents."""
    return IndexedPlain(Value(text, output_field=TextField()))


class FieldCriterion(Criterion):
    """A question about one field; the classes in use are made of a spec by ``of``."""

    spec: ClassVar[FieldSpec]
    base_params: ClassVar[type[Params]]
    base_form: ClassVar[type[forms.Form]]

    @classmethod
    def of(cls, spec: FieldSpec) -> Criterion:
        """Return the criterion of a field."""
        owner = spec.owner
        name = "".join(part.title() for part in spec.code.replace(".", "_").split("_"))
        made: dict[str, Any] = {"__module__": cls.__module__, "__doc__": cls.__doc__}
        params = type(f"{name}Params", (cls.base_params, owner.params), {**made, "__annotations__": {}})
        form = type(f"{name}Form", (cls.base_form, owner.form), {**made, **cls.fields_of(spec)})
        own = {
            "spec": spec, "code": spec.code, "label": spec.label, "group": owner.group, "forgets": spec.forgets,
            "params": params, "form": form,
        }  # fmt: skip
        found: Criterion = type(name, (cls,), made | own)()
        return found

    @classmethod
    def fields_of(cls, spec: FieldSpec) -> dict[str, Any]:
        """Return fields of the form that depend on the spec; none by default."""
        del spec
        return {}

    @abstractmethod
    def noun(self, params: Any) -> str:
        """Return what is had, with the name of the field in it: "“Edam” as city"."""

    @abstractmethod
    def words_of(self, value: Any) -> str:
        """Return one value of the field in words."""

    def sentence(self, params: Any) -> str:
        return self.spec.owner.having(self.noun(params), params)

    def seen(self, params: Any, customer: Any, *, now: dt.datetime) -> str:
        held = self.spec.owner.held(customer, self.spec.column, params, now=now)
        name = str(self.spec.name)
        return f"{name}: {shown(held, self.words_of)}" if held else _("no %(fields)s") % {"fields": name}
