"""What somebody did: how often, not at all, for the last or first time, and how much, in a window of time."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django import forms
from django.db.models import Count, Exists, OuterRef, Q, Sum, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, field_validator

from common.criteria import Criterion, Params
from common.money import format_cents
from common.time import local_date, start_of_day
from customers.criteria import wording
from customers.facts import fact_kinds
from customers.models import Branch, Fact, FactTotal
from customers.models.querysets import FactQuerySet

GROUP = gettext_lazy("What they did")


class FactParams(Params):
    """Facts of a kind; ``within_days`` counts back from today (which counts too), empty means ever.

    Ever, and not narrowed, is answered from the totals, which outlive facts whose retention is over; all else only
    sees facts that are still kept.
    """

    kind: str
    within_days: int | None = Field(default=None, ge=0, le=36500)
    world: str = ""
    genre: str = ""
    sector: str = ""
    branch: str = ""
    at_least_seconds: int | None = Field(default=None, ge=1, le=86400)

    @property
    def is_all_of_kind(self) -> bool:
        """Whether every fact of the kind counts, whenever, wherever and whatever it was about."""
        narrowing = (self.world, self.genre, self.sector, self.branch, self.at_least_seconds)
        return self.within_days is None and not any(narrowing)

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in fact_kinds:
            raise ValueError(_("The kind “%s” does not exist.") % value)
        return value


class FactForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=wording.kind_choices)
    within_days = forms.IntegerField(
        label=gettext_lazy("In the past … days (empty: ever)"), required=False, min_value=0, max_value=36500
    )
    world = forms.ChoiceField(label=gettext_lazy("World"), required=False, choices=wording.world_choices)
    genre = forms.CharField(label=gettext_lazy("Genre"), required=False, max_length=40)
    sector = forms.CharField(label=gettext_lazy("Sector"), required=False, max_length=24)
    branch = forms.ChoiceField(
        label=gettext_lazy("Branch"),
        required=False,
        choices=lambda: [("", gettext_lazy("any branch")), *wording.branch_choices()],
    )
    at_least_seconds = forms.IntegerField(
        label=gettext_lazy("Lasted at least … seconds"), required=False, min_value=1, max_value=86400
    )


def facts_of(params: FactParams, *, now: dt.datetime) -> FactQuerySet:
    """Return the facts that the params speak of, until ``now``, of any customer."""
    start = None
    if params.within_days is not None:
        start = start_of_day(local_date(now) - dt.timedelta(days=params.within_days))
    facts = Fact.objects.filter(kind=params.kind).between(start, now).order_by()
    for field in ("world", "genre", "sector"):
        if value := getattr(params, field):
            facts = facts.filter(**{field: value})
    if params.at_least_seconds:
        facts = facts.filter(duration_seconds__gte=params.at_least_seconds)
    if params.branch:
        facts = facts.filter(branch__in=Branch.objects.filter(code=params.branch).values("pk"))
    return facts


def when(params: FactParams) -> str:
    """Return the window in words."""
    if params.within_days is None:
        return _("ever")
    if params.within_days == 0:
        return _("today")
    return ngettext("in the past %d day", "in the past %d days", params.within_days) % params.within_days


def narrowed(sentence: str, params: FactParams) -> str:
    """Return the sentence with what narrows it behind: "… (world Reizen, branch Edam)"."""
    parts = []
    if params.world:
        parts.append(_("world %s") % wording.named([params.world], wording.world_choices())[0])
    if params.genre:
        parts.append(_("genre %s") % params.genre)
    if params.sector:
        parts.append(_("sector %s") % params.sector)
    if params.branch:
        parts.append(_("branch %s") % wording.named([params.branch], wording.branch_choices())[0])
    if params.at_least_seconds:
        seconds = ngettext("at least %d second", "at least %d seconds", params.at_least_seconds)
        parts.append(seconds % params.at_least_seconds)
    return f"{sentence} ({', '.join(parts)})" if parts else sentence


def what(kind: str) -> str:
    """Return what they have done: "borrowed"."""
    return str(fact_kinds[kind].done)


class FactCriterion(Criterion):
    """What the criteria over facts share."""

    group = GROUP

    def check(self, params: FactParams) -> None:
        wording.require_known([params.world], dict(wording.world_choices()), field="world")
        wording.require_known([params.branch], dict(wording.branch_choices()), field="branch")


class OftenParams(FactParams):
    """``per_order``: the lines of one order count as one time."""

    per_order: bool = False
    op: Literal["at_least", "at_most", "exactly"] = "at_least"
    times: int = Field(default=1, ge=0, le=100000)


class OftenForm(FactForm):
    op = forms.ChoiceField(
        label=gettext_lazy("How often"),
        choices=[
            ("at_least", gettext_lazy("at least")),
            ("at_most", gettext_lazy("at most")),
            ("exactly", gettext_lazy("exactly")),
        ],
    )
    times = forms.IntegerField(label=gettext_lazy("Times"), min_value=0, max_value=100000, initial=1)
    per_order = forms.BooleanField(label=gettext_lazy("Lines of one order count once"), required=False)
    field_order = (
        "kind", "op", "times", "within_days", "world", "genre", "sector", "branch", "at_least_seconds", "per_order",
    )  # fmt: skip


class HowOften(FactCriterion):
    """At least, at most or exactly so many times; "at most" and "exactly 0" include those who never did."""

    code = "facts.count"
    label = gettext_lazy("How often they did something")
    params = OftenParams
    form = OftenForm

    def to_q(self, params: OftenParams, *, now: dt.datetime) -> Q:
        times = params.times
        if params.op == "at_least":
            return _at_least(params, times, now)
        if params.op == "at_most":
            return ~_at_least(params, times + 1, now)
        return _at_least(params, times, now) & ~_at_least(params, times + 1, now)

    def sentence(self, params: OftenParams) -> str:
        if params.per_order:
            words = {
                "at_least": ngettext("in at least %d order", "in at least %d orders", params.times),
                "at_most": ngettext("in at most %d order", "in at most %d orders", params.times),
                "exactly": ngettext("in exactly %d order", "in exactly %d orders", params.times),
            }
            return self._said(params, words)
        words = {
            "at_least": ngettext("at least %d time", "at least %d times", params.times),
            "at_most": ngettext("at most %d time", "at most %d times", params.times),
            "exactly": ngettext("exactly %d time", "exactly %d times", params.times),
        }
        return self._said(params, words)

    def _said(self, params: OftenParams, words: dict[str, str]) -> str:
        often = words[params.op] % params.times
        values = {"when": when(params), "often": often, "what": what(params.kind)}
        return narrowed(_("have %(what)s %(often)s %(when)s") % values, params)


# Two sources may have an order of the same number; a fact without an order is one by itself.
ORDER = Concat(
    Cast("source_id", TextField()), Value("/"), Coalesce("order_number", "external_id"), output_field=TextField()
)


def _at_least(params: FactParams, times: int, now: dt.datetime) -> Q:
    if times == 0:
        return Q(pk__isnull=False)
    facts = facts_of(params, now=now)
    if times == 1:
        ever = FactTotal.objects.filter(kind=params.kind, first_at__lt=now)
        return Q(Exists((ever if params.is_all_of_kind else facts).filter(customer=OuterRef("pk"))))
    if getattr(params, "per_order", False):
        orders = facts.annotate(order=ORDER).values("customer_id").annotate(times=Count("order", distinct=True))
        return Q(pk__in=orders.filter(times__gte=times).values("customer_id"))
    counted = facts.values("customer_id").annotate(times=Count("pk")).filter(times__gte=times)
    by_rows = Q(pk__in=counted.values("customer_id"))
    return _from_totals(params.kind, by_rows, now, count__gte=times) if params.is_all_of_kind else by_rows


def _from_totals(kind: str, by_rows: Q, now: dt.datetime, **condition: int) -> Q:
    """Return who meets a condition on his total; who did something after ``now`` is judged by his facts."""
    mine = FactTotal.objects.filter(kind=kind, customer=OuterRef("pk"))
    return Q(Exists(mine.filter(last_at__lt=now, **condition))) | (Q(Exists(mine.filter(last_at__gte=now))) & by_rows)


class NotAtAll(FactCriterion):
    """Not once in the window."""

    code = "facts.none"
    label = gettext_lazy("Did not do something")
    params = FactParams
    form = FactForm

    def to_q(self, params: FactParams, *, now: dt.datetime) -> Q:
        return ~_at_least(params, 1, now)

    def sentence(self, params: FactParams) -> str:
        if params.within_days is None:
            return narrowed(_("have never %(what)s") % {"what": what(params.kind)}, params)
        values = {"when": when(params), "what": what(params.kind)}
        return narrowed(_("have not %(what)s %(when)s") % values, params)


class TimeParams(Params):
    """``more_than_days`` ago, or ``within_days``; answered from the totals, so it says what holds at present."""

    kind: str
    more_than_days: int | None = Field(default=None, ge=0, le=36500)
    within_days: int | None = Field(default=None, ge=0, le=36500)

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in fact_kinds:
            raise ValueError(_("The kind “%s” does not exist.") % value)
        return value


class TimeForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=wording.kind_choices)
    more_than_days = forms.IntegerField(
        label=gettext_lazy("More than … days ago"), required=False, min_value=0, max_value=36500
    )
    within_days = forms.IntegerField(
        label=gettext_lazy("In the past … days"), required=False, min_value=0, max_value=36500
    )


class _TimeCriterion(Criterion):
    """The last or first time of a kind, an index look-up in ``FactTotal``."""

    group = GROUP
    params = TimeParams
    form = TimeForm
    column: Literal["first_at", "last_at"]

    def to_q(self, params: TimeParams, *, now: dt.datetime) -> Q:
        totals = FactTotal.objects.filter(kind=params.kind)
        today = local_date(now)
        if params.more_than_days is not None:
            before = start_of_day(today - dt.timedelta(days=params.more_than_days))
            totals = totals.filter(**{f"{self.column}__lt": before})
        if params.within_days is not None:
            since = start_of_day(today - dt.timedelta(days=params.within_days))
            totals = totals.filter(**{f"{self.column}__gte": since})
        return Q(Exists(totals.filter(customer=OuterRef("pk"))))

    def ago(self, params: TimeParams) -> str:
        if params.more_than_days is not None and params.within_days is not None:
            return _("%(low)s to %(high)s days ago") % {
                "low": params.more_than_days,
                "high": params.within_days,
            }
        if params.more_than_days is not None:
            return _("more than %(days)s days ago") % {"days": params.more_than_days}
        if params.within_days is not None:
            return _("in the past %(days)s days") % {"days": params.within_days}
        return _("ever")


class LastTime(_TimeCriterion):
    """When they did it for the last time; who never did does not match."""

    code = "facts.last"
    label = gettext_lazy("When they did something for the last time")
    column = "last_at"

    def sentence(self, params: TimeParams) -> str:
        return _("have last %(what)s %(ago)s") % {"what": what(params.kind), "ago": self.ago(params)}


class FirstTime(_TimeCriterion):
    """When they did it for the first time."""

    code = "facts.first"
    label = gettext_lazy("When they did something for the first time")
    column = "first_at"

    def sentence(self, params: TimeParams) -> str:
        return _("have first %(what)s %(ago)s") % {"what": what(params.kind), "ago": self.ago(params)}


class MuchParams(FactParams):
    """``unit`` is cents of money or pieces. ``per_order``: in one order, not in all together."""

    per_order: bool = False
    unit: Literal["amount_cents", "quantity"] = "amount_cents"
    at_least: int = Field(ge=1, le=10**9)


class MuchForm(FactForm):
    unit = forms.ChoiceField(
        label=gettext_lazy("Unit"),
        choices=[("amount_cents", gettext_lazy("euros")), ("quantity", gettext_lazy("pieces"))],
    )
    at_least = forms.DecimalField(
        label=gettext_lazy("At least"), min_value=0, max_digits=9, decimal_places=2, localize=True
    )
    per_order = forms.BooleanField(label=gettext_lazy("In one order"), required=False)
    field_order = (
        "kind", "at_least", "unit", "per_order", "within_days", "world", "genre", "sector", "branch",
        "at_least_seconds",
    )  # fmt: skip

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("at_least") is not None:
            factor = 100 if cleaned.get("unit") == "amount_cents" else 1
            cleaned["at_least"] = int(cleaned["at_least"] * factor)
        return cleaned


class HowMuch(FactCriterion):
    """At least so many euros or pieces in all."""

    code = "facts.sum"
    label = gettext_lazy("How much they spent or took in all")
    params = MuchParams
    form = MuchForm

    def to_q(self, params: MuchParams, *, now: dt.datetime) -> Q:
        facts = facts_of(params, now=now)
        if params.per_order:
            orders = facts.annotate(order=ORDER).values("customer_id", "order")
            orders = orders.annotate(total=Sum(params.unit)).filter(total__gte=params.at_least)
            return Q(pk__in=orders.values("customer_id"))
        summed = facts.values("customer_id").annotate(total=Sum(params.unit))
        by_rows = Q(pk__in=summed.filter(total__gte=params.at_least).values("customer_id"))
        if not params.is_all_of_kind:
            return by_rows
        return _from_totals(params.kind, by_rows, now, **{f"{params.unit}__gte": params.at_least})

    def sentence(self, params: MuchParams) -> str:
        amount = params.at_least
        total = format_cents(amount) if params.unit == "amount_cents" else _("%d pieces") % amount
        values = {"when": when(params), "total": total, "what": what(params.kind)}
        if params.per_order:
            return narrowed(_("have %(what)s for at least %(total)s in one order %(when)s") % values, params)
        return narrowed(_("have %(what)s for at least %(total)s %(when)s") % values, params)

    def initial(self, params: Params) -> dict[str, object]:
        shown = super().initial(params)
        if shown["unit"] == "amount_cents":
            shown["at_least"] = shown["at_least"] / 100
        return shown
