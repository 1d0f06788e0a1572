"""Names are how people find things back, so each is given once."""

from __future__ import annotations

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
