"""How a report is told: the names of steps and groups, and what a difference means, for who is no statistician."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from customers.facts import fact_kinds
from customers.models import Branch
from labels.models import Label
from mailings.models import Arm, Message
from mailings.reports import Course, Difference, Group
from mailings.reports.gone import Gone
from selections.models import Selection

STEP_NAMES: Mapping[str, Any] = {
    "candidates": gettext_lazy("Candidates"),
    "allowed": gettext_lazy("Might be reached"),
    "held": gettext_lazy("In the control group"),
    "sent": gettext_lazy("Got it"),
    "bounced": gettext_lazy("Bounced"),
    "arrived": gettext_lazy("Did not bounce"),
    "complained": gettext_lazy("Reported it as spam"),
    "clicked": gettext_lazy("Clicked"),
    "not_clicked": gettext_lazy("Did not click"),
    "did": gettext_lazy("Did something afterwards"),
    "not_did": gettext_lazy("Did nothing afterwards"),
}
WHAT_NAMES: Mapping[str, Any] = {
    "sent": gettext_lazy("Got it"),
    "clicked": gettext_lazy("Clicked for the first time"),
    "did": gettext_lazy("Did something for the first time"),
}


def percent(part: int, whole: int) -> str:
    """Return a share as the Dutch write it: 12,3%."""
    return f"{number_format(round(100 * part / whole, 1), 1)}%" if whole else "–"


def channel_words(counts: Mapping[str, int]) -> str:
    """Return how many left over which channel, when there is more than one."""
    names = dict(Message.Channel.choices)
    told = [f"{intcomma(count)} {str(names.get(channel, channel)).lower()}" for channel, count in counts.items()]
    return ", ".join(told) if len(told) > 1 else ""


def points(value: float) -> str:
    """Return a number of percentage points without its sign."""
    return number_format(round(abs(value), 1), 1)


def kind_name(code: str) -> str:
    """Return the name of an activity; empty is any."""
    kind = fact_kinds.get(code)
    return str(kind.name) if kind else code or _("Anything at all")


def difference_words(found: Difference) -> str:
    """Return in one sentence what was shown."""
    values = {"low": points(found.lowest), "high": points(found.highest)}
    if found.verdict == "more":
        return _("%(low)s to %(high)s percentage points more than who got nothing") % values
    if found.verdict == "less":
        values = {"low": values["high"], "high": values["low"]}
        return _("%(low)s to %(high)s percentage points less than who got nothing") % values
    return _("No difference shown: between %(low)s percentage points less and %(high)s more") % values


def extra_words(found: Difference) -> str:
    """Return about how many people that is; nothing when no difference was shown."""
    low, high = found.extra
    if found.verdict == "more":
        return _("About %(low)s to %(high)s people who would not have done it otherwise.") % {
            "low": intcomma(max(low, 0)), "high": intcomma(high)}  # fmt: skip
    return ""


def thin_words(found: Difference) -> str:
    """Return a warning when this rests on few people."""
    return _("Too few people to be sure.") if found.is_thin else ""


def group_rows(groups: Iterable[Group]) -> dict[str, list[dict[str, Any]]]:
    """Return dimension -> rows with the name of each group."""
    found = list(groups)
    names: dict[str, Mapping[str, Any]] = {
        "channel": dict(Message.Channel.choices),
        "branch": _branches(group.key for group in found if group.dimension == "branch"),
        "audience": _audiences(group.key for group in found if group.dimension == "audience"),
        "version": _versions(group.key for group in found if group.dimension == "version"),
        "domain": {"": _("no mail domain (letters, or no longer kept)")},
    }
    shown: dict[str, list[dict[str, Any]]] = {}
    for group in found:
        if group.dimension == "all":
            continue
        name = names[group.dimension].get(group.key, group.key)
        shown.setdefault(group.dimension, []).append(
            {
                "group": group,
                "name": str(name),
                "bounced": percent(group.bounced, group.sent),
                "clicked": percent(group.clicked, group.sent),
                "did": percent(group.did, group.sent),
            }
        )
    return shown


def _branches(keys: Iterable[str]) -> dict[str, str]:
    ids = [int(key) for key in keys if key]
    return {str(pk): name for pk, name in Branch.objects.filter(pk__in=ids).values_list("pk", "name")} | {
        "": _("no branch")
    }


def _versions(keys: Iterable[str]) -> dict[str, str]:
    arms = Arm.objects.filter(pk__in=[int(key) for key in keys if key])
    return {str(arm.pk): _("Version %s") % arm.letter for arm in arms} | {"": _("in no test, or after it")}


def _audiences(keys: Iterable[str]) -> dict[str, str]:
    ids: dict[str, list[int]] = {"selection": [], "label": []}
    for key in keys:
        kind, _colon, number = key.partition(":")
        ids.setdefault(kind, []).append(int(number))
    selections = Selection.objects.filter(pk__in=ids["selection"]).values_list("pk", "name")
    labels = Label.objects.filter(pk__in=ids["label"])
    return {f"selection:{pk}": name for pk, name in selections} | {f"label:{one.pk}": str(one) for one in labels}


def course_chart(found: Course) -> dict[str, Any]:
    """Return the course as data of a chart."""
    shown = "j b H:i" if found.unit == "hour" else "j b"
    return {
        "labels": [date_format(moment, shown) for moment in found.moments],
        "datasets": [{"label": str(WHAT_NAMES[what]), "data": found.counts[what]} for what in ("clicked", "did")],
    }


def days_words(days: int) -> str:
    """Return "within 14 days"."""
    return ngettext("within %d day", "within %d days", days) % days


def gone_rows(gone: Sequence[Gone]) -> list[list[object]]:
    """Return what is not counted any more as rows of a file: what, and from before which day."""
    what = _("Not kept any more")
    return [[what, one.words, one.rows, *[""] * 6, one.until.isoformat() if one.until else ""] for one in gone]
