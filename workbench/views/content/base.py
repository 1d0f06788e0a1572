"""What the pages about a content share: what it belongs to, and the way back there."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext

from customers.models import Purpose
from mailings.models import Content
from workbench.base import ObjectMixin, Text
from workbench.views.editions import newsletter_crumbs


class Contents(ObjectMixin[Content]):
    """A content in its surroundings: what it belongs to, and for which purpose it will be sent."""

    def get_queryset(self) -> QuerySet[Content]:
        return Content.objects.select_related("action__purpose", "edition__newsletter__purpose")

    @property
    def page_url(self) -> str:
        return reverse("workbench:content", args=[self.object.pk])

    @cached_property
    def owner(self) -> tuple[Text, str, Purpose] | None:
        """Name, address and purpose of the action or edition that this is the content of."""
        for relation, page in (("action", "action_detail"), ("edition", "edition_detail")):
            try:
                thing = getattr(self.object, relation)
            except ObjectDoesNotExist:
                continue
            purpose = thing.purpose if relation == "action" else thing.newsletter.purpose
            return str(thing), reverse(f"workbench:{page}", args=[thing.pk]), purpose
        return None

    @property
    def purpose(self) -> Purpose:
        return self.owner[2] if self.owner else Purpose.objects.get(code="marketing")

    @property
    def is_written_by_edition(self) -> bool:
        """Whether a newsletter's edition writes these blocks, so that changing them here would be lost."""
        return hasattr(self.object, "edition")

    def get_breadcrumb(self) -> list[Any]:
        if self.owner is None:
            return []
        if self.is_written_by_edition:
            above = newsletter_crumbs(self.object.edition.newsletter)
        else:
            above = [(gettext("Actions"), reverse("workbench:action_list"))]
        return [*above, (self.owner[0], self.owner[1])]
