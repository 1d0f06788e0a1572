"""An audience of the workbench: a selection as it is now, or a result set as it was kept; what is done with all in it
is done in one way.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from selections.comparing import Side
from selections.models import ResultSet, Selection
from workbench.base import ObjectMixin


def reason_of(thing: Side) -> str:
    """Return where the customers came from, as the history of a label keeps it."""
    if isinstance(thing, Selection):
        return _("selection “%s”") % thing.name
    return _("result set “%s”") % thing.name


class About:
    """What a view about an audience may ask of either kind."""

    object: Any

    @property
    def thing_url(self) -> str:
        """The page of the audience."""
        raise NotImplementedError

    @property
    def above(self) -> list[Any]:
        """Where a page about it lies."""
        raise NotImplementedError


class SelectionAudience(ObjectMixin[Selection]):
    """A view about a selection."""

    def get_queryset(self) -> QuerySet[Selection]:
        return Selection.objects.select_related("owner", "folder")

    @property
    def thing_url(self) -> str:
        return reverse("workbench:selection_detail", args=[self.object.pk])

    @property
    def above(self) -> list[Any]:
        """Where the page lies."""
        return [(_("Selections"), reverse("workbench:selection_list")), (self.object.name, self.thing_url)]


class ResultSetAudience(ObjectMixin[ResultSet]):
    """A view about a result set."""

    def get_queryset(self) -> QuerySet[ResultSet]:
        return self.with_waiting().filter(is_waiting=False)

    @staticmethod
    def with_waiting() -> QuerySet[ResultSet]:
        """Return also those of whom is still being looked up who are in them: nothing can be done with those."""
        return ResultSet.objects.select_related("selection", "made_by")

    @property
    def thing_url(self) -> str:
        return reverse("workbench:result_set_detail", args=[self.object.pk])

    @property
    def above(self) -> list[Any]:
        """Where the page lies."""
        return [(_("Result sets"), reverse("workbench:result_set_list")), (self.object.name, self.thing_url)]
