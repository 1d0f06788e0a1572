"""What the pages about a content share: what it belongs to, and the way back there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext

from common.errors import Refused
from customers.models import Purpose
from mailings import actions
from mailings.models import Content, Draft, Picture
from workbench.base import ObjectMixin, Text
from workbench.views.editions import newsletter_crumbs

PICTURES_SHOWN = 40
FORM = "page_form"  # the field that tells one form of a page from the next


class DraftMixin:
    """A form of the editor of which ``place`` names the draft: what was typed and not saved comes back into it."""

    object: Content
    request: HttpRequest

    @property
    def place(self) -> str:
        raise NotImplementedError

    @cached_property
    def draft(self) -> Draft | None:
        mine = Draft.objects.written().filter(content=self.object, user=cast(User, self.request.user))
        return mine.filter(place=self.place).first()

    def with_draft(self, initial: dict[str, Any]) -> dict[str, Any]:
        """Return the fields the form begins with: what is saved, and over it what was typed."""
        typed = self.draft.fields if self.draft else {}
        return {**initial, **{name: values[-1] for name, values in typed.items() if values}, FORM: self.form_name}

    @cached_property
    def form_name(self) -> str:
        """What tells this form from the same on another page: new each time, but when it comes back with an error."""
        return self.request.POST.get(FORM, "") or token_hex(8)

    def draft_context(self) -> dict[str, Any]:
        """Return what the form's template knows: where to keep it, where to throw it away, and what came back."""
        query, own = f"?{urlencode({'place': self.place})}", f"&{urlencode({'form': self.form_name})}"
        return {
            "draft": self.draft,
            "draft_url": reverse("workbench:draft_keep", args=[self.object.pk]) + query,
            "draft_drop_url": reverse("workbench:draft_drop", args=[self.object.pk]) + query + own,
        }

    def drop_draft(self, now: dt.datetime) -> None:
        """Forget what was typed: it is saved now."""
        form, user = self.request.POST.get(FORM, ""), cast(User, self.request.user)
        actions.drop_draft(self.object, place=self.place, form=form, by=user, now=now)


@contextmanager
def again_after_conflict(form: forms.Form, mark_now: Callable[[], str]) -> Iterator[None]:
    """When a colleague was first, let the form that comes back be about what stands there now."""
    try:
        yield
    except Refused as refused:
        if refused.code == "conflict":
            posted = form.data.copy()  # type: ignore[attr-defined]
            posted["was"] = mark_now()
            form.data = posted
        raise


def offered_pictures(chosen: str) -> list[tuple[Picture, bool]]:
    """Return the newest pictures to choose from, and whether each is the one chosen; that one is there however old it
    is, or saving would take it away.
    """
    known = list(Picture.objects.all()[:PICTURES_SHOWN])
    if chosen.isdecimal() and all(str(one.pk) != chosen for one in known):
        known = [*Picture.objects.filter(pk=chosen), *known]
    return [(one, str(one.pk) == chosen) for one in known]


class Contents(ObjectMixin[Content]):
    """A content in its surroundings: what it belongs to, and for which purpose it will be sent."""

    def get_queryset(self) -> QuerySet[Content]:
        return Content.objects.select_related("action__purpose", "edition__newsletter__purpose")

    @property
    def page_url(self) -> str:
        return reverse("workbench:content", args=[self.object.pk])

    @cached_property
    def owner(self) -> tuple[Text, str, Purpose] | None:
        """Name, address and purpose of the action, edition or test that this is the content of."""
        for relation, page in (("action", "action_detail"), ("edition", "edition_detail")):
            try:
                thing = getattr(self.object, relation)
            except ObjectDoesNotExist:
                continue
            purpose = thing.purpose if relation == "action" else thing.newsletter.purpose
            return str(thing), reverse(f"workbench:{page}", args=[thing.pk]), purpose
        if arm := getattr(self.object, "arm", None):
            whole = Contents()
            whole.object = arm.experiment.content
            page = reverse("workbench:experiment_detail", args=[arm.experiment_id])
            return gettext("Test of “%(name)s”") % {"name": whole.object}, page, whole.purpose
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
            is_version = getattr(self.object, "arm", None)
            above = (
                [(gettext("A/B tests"), reverse("workbench:experiment_list"))]
                if is_version
                else [(gettext("Actions"), reverse("workbench:action_list"))]
            )
        return [*above, (self.owner[0], self.owner[1])]
