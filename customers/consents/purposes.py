"""For which purposes people are written to or called."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from common.errors import Refused
from customers.consents.rules import PROCESSING
from customers.models import Purpose


def reaching_purposes() -> QuerySet[Purpose]:
    """Return the purposes for which somebody may be reached: all but those about what is done with data."""
    return Purpose.objects.exclude(code__in=PROCESSING)


def check_reaches(purpose: Purpose) -> None:
    """Raise Refused when nobody is reached for this purpose: who unsubscribes from all mail says nothing about it, so
    what is sent for it could not be stopped.
    """
    if purpose.code in PROCESSING:
        words = _("“%s” is about what is done with data, not about messages. Choose another purpose.")
        raise Refused("processing", words % purpose, field="purpose")
