"""What pydantic finds wrong with a value, in words for people and in their language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

_WHOLE, _NUMBER = _("A whole number is expected here."), _("A number is expected here.")
_DATE, _LIST = _("A date such as 2026-12-31 is expected here."), _("A list is expected here.")

#: Type of fault -> sentence, to be filled in with what pydantic tells of it.
_SENTENCES: dict[str, Any] = {
    "greater_than": _("This must be more than %(gt)s."),
    "greater_than_equal": _("This must be at least %(ge)s."),
    "less_than": _("This must be less than %(lt)s."),
    "less_than_equal": _("This must be at most %(le)s."),
    "too_long": _("These may be %(max_length)s at most."),
    "too_short": _("Choose or fill in at least %(min_length)s."),
    "string_too_long": _("This text may have %(max_length)s characters at most."),
    "missing": _("This must be filled in."),
    "extra_forbidden": _("There is no such field."),
    "literal_error": _("This is none of what can be chosen: %(expected)s."),
    "enum": _("This is none of what can be chosen: %(expected)s."),
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "bool_type": _("True or false is expected here."),
    "bool_parsing": _("True or false is expected here."),
    "string_type": _("A text is expected here."),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "model_type": _("An object is expected here."),
    "model_attributes_type": _("An object is expected here."),
}


def words_of(fault: Mapping[str, Any]) -> str:
    """Return one of ``ValidationError.errors()`` as a sentence; where the words are our own, those.

    What is not foreseen keeps pydantic's English.
    """
    context = fault.get("ctx", {})
    if isinstance(own := context.get("error"), Exception):  # of dates it is a text of pydantic
        return str(own)
    sentence = _SENTENCES.get(fault["type"])
    return str(sentence) % _shown(context) if sentence is not None else str(fault["msg"])


def _shown(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers as people write them: "5" for 5.0."""
    return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in context.items()}
