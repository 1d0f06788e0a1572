"""Template tags about tests of versions, for the pages of what they belong to."""

from __future__ import annotations

from django import template

from common.time import clock
from mailings.models import Experiment, Mailing
from workbench.experiments import Told

register = template.Library()

LAST = 3


@register.simple_tag
def planned_test(content_id: int | None) -> Told | None:
    """Return the test that is set up for the next mailing of a content, or nothing."""
    found = Experiment.objects.planned().filter(content=content_id).first() if content_id else None
    return Told(found, now=clock()) if found else None


@register.simple_tag
def earlier_tests(content_id: int | None) -> list[Told]:
    """Return the last tests that were held with a content."""
    held = (
        Experiment.objects.filter(content=content_id, mailing__isnull=False)
        if content_id
        else Experiment.objects.none()
    )
    return [Told(one, now=clock()) for one in held.select_related("mailing", "winner")[:LAST]]


@register.simple_tag
def test_of(mailing: Mailing) -> Told | None:
    """Return the test that a mailing is, or nothing."""
    found = Experiment.objects.filter(mailing=mailing).select_related("mailing", "winner", "content").first()
    return Told(found, now=clock()) if found else None


@register.simple_tag
def share_of(total: int | None, percent: int) -> int:
    """Return about how many readers a share is."""
    return round((total or 0) * percent / 100)
