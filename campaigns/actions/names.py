"""Names are how people find things back, so each is given once."""

from __future__ import annotations

from itertools import count

from django.db.models import Model
from django.utils.translation import gettext as _

from common.errors import Refused


def check_name_free(model: type[Model], name: str, *, but: Model | None = None) -> None:
    """Raise Refused when another row of the model has this name; capitals make no difference."""
    others = model._default_manager.filter(name__iexact=name)
    if but is not None:
        others = others.exclude(pk=but.pk)
    if others.exists():
        words = _("There is already one named “%(name)s”. Choose another name.")
        raise Refused("name_taken", words % {"name": name}, field="name")


def free_name(model: type[Model], name: str, *, longest: int = 120) -> str:
    """Return the name, or when another row has it the first that is free: “name (2)”."""
    taken = {known.lower() for known in model._default_manager.values_list("name", flat=True)}
    proposed = (name if number == 1 else f"{name[: longest - 6]} ({number})" for number in count(1))
    return next(one for one in (each[:longest] for each in proposed) if one.lower() not in taken)
