"""How the fields of a criterion stand in the builder: as a sentence, with only those that matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.choices import flatten_choices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MOST_BOXES = 8  # more choices than this are searched in a list instead of ticked one by one
MOST_OPTIONS = 12  # a select with more can be searched
#: Of these the options or the fields around them say what they are; the label is for screen readers.
QUIET = {"period", "number", "unit", "op", "match", "kind", "what", "compare", "times"}
#: What hardly anybody changes, so it is folded away like what only narrows.
DETAILS = {"per"}
WORDS = {"number_to": _("and"), "since": _("from"), "until": _("up to and including")}


@dataclass(frozen=True)
class Shown:
    """One field: its label (empty: as the form has it), whether that is for screen readers only, whether it matters
    now, whether its choices are searched, and whether it only narrows (``NARROW`` of the form), so may be folded away.
    """

    field: forms.BoundField
    label: Any = ""
    is_quiet: bool = False
    is_off: bool = False
    is_searchable: bool = False
    is_extra: bool = False

    @property
    def has_value(self) -> bool:
        """Whether something else is filled in than what a new form has."""
        value = self.field.value()
        return value not in (None, "", [], ()) and str(value) != str(self.field.field.initial)

    @property
    def classes(self) -> str:
        """The classes of its frame; an "off" field is only hidden where scripts can show it again."""
        marks = {"is-quiet": self.is_quiet, "is-off": self.is_off, "is-wide": _is_list(self.field.field)}
        return " ".join(name for name, is_so in marks.items() if is_so)


def shown_fields(form: forms.Form) -> list[Shown]:
    """Return the visible fields of a form in their order."""
    visible = form.visible_fields()
    extra = {*getattr(form, "NARROW", ()), *DETAILS}
    lists = [field for field in visible if _is_list(field.field) and field.name not in extra]
    only = lists[0] if len(lists) == 1 else None  # the title of the criterion says what is in it
    return [
        Shown(
            field,
            label=WORDS.get(field.name, ""),
            is_quiet=len(visible) == 1 or field is only or field.name in QUIET,
            is_off=_is_off(form, field),
            is_searchable=_is_searchable(field.field),
            is_extra=field.name in extra,
        )
        for field in visible
    ]


def lighten(form: forms.Form) -> forms.Form:
    """Turn a long row of boxes into a list that can be searched."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.CheckboxSelectMultiple) and isinstance(field, forms.ChoiceField):
            choices: list[Any] = list(getattr(field, "choices", ()))
            if len(choices) > MOST_BOXES:
                field.widget = forms.SelectMultiple(attrs=field.widget.attrs)
                field.choices = choices
    _show_what_is_gone(form)
    return form


def _show_what_is_gone(form: forms.Form) -> None:
    """Show what a rule has and its form does not offer: the browser would choose something else, and save that.

    It is only shown: whoever saves the rule is told that it cannot be chosen.
    """
    for bound in form.visible_fields():
        field, held = bound.field, bound.value()
        if not isinstance(field, forms.ChoiceField) or not held:
            continue
        offered: list[Any] = list(getattr(field, "choices", ()))
        flat: list[Any] = list(flatten_choices(offered))
        known = {str(choice[0]) for choice in flat}
        gone = [value for value in (held if isinstance(held, list | tuple) else [held]) if str(value) not in known]
        if gone:
            shown = [(value, gettext("%s (is not there any more)") % str(value)[:60]) for value in gone]
            field.widget.choices = [*offered, *shown]


def _is_off(form: forms.Form, field: forms.BoundField) -> bool:
    """Tell whether a field belongs to another choice than the one that is made (``data-when``, ``data-when-is``)."""
    attrs = field.field.widget.attrs
    on = attrs.get("data-when", "")
    if on not in form.fields:
        return False
    chosen = form[on].value()
    return ("" if chosen is None else str(chosen)) not in str(attrs.get("data-when-is", "")).split(" ")


def _is_list(field: forms.Field) -> bool:
    return isinstance(field.widget, forms.CheckboxSelectMultiple | forms.SelectMultiple)


def _is_searchable(field: forms.Field) -> bool:
    widget: forms.Widget = field.widget
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple) or not isinstance(widget, forms.Select):
        return False
    many: bool = getattr(widget, "allow_multiple_selected", False)
    return many or len(list(getattr(field, "choices", ()))) > MOST_OPTIONS
