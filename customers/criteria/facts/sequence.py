"""First this, then that: spent 50 euros in the shop, and visited the website twice since.

When a step is reached, exactly:

- The first step looks at the facts in its window, in order of time (and of when they were recorded, where the time is
  the same). With so many ``times`` it is reached at the fact that makes them full; with an amount in all
  (``at_least_total_cents``) at the first fact at which the running sum comes to it; at the first, the last, or each
  occurrence (``anchor``) when it is a single event. "Each" holds when the rest follows one of them, whichever.
- A later step looks at the facts after the moment of the step before it: later than that moment, until the moment
  asked about, and with ``within_days`` no later than so many Amsterdam days after that day (0: the same day).
  "At least n" is reached at the n-th of them. "Exactly n" holds when there are n and no more, and is reached at the
  n-th. "At most n" and "not" hold when there are no more; they have no moment of their own, so that what follows counts
  from the step before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from django import forms
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum, Window
from django.db.models.functions import RowNumber
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.criteria import Params
from common.money import format_cents
from customers.criteria import wording
from customers.criteria.facts.common import (
    CodesField,
    EurosField,
    FactCriterion,
    FactForm,
    FactParams,
    NarrowForm,
    NarrowParams,
    check_codes,
    facts_of,
    narrow,
    narrowed,
    shown,
    source_choices,
    what,
)
from customers.criteria.facts.counting import OPS
from customers.criteria.facts.shapes import Chain, DaysLater, Link, Moments, moment, owner
from customers.criteria.moments import day_of
from customers.criteria.windows import WindowForm, shown_when
from customers.facts import fact_kinds
from customers.models import Customer, Fact

LATER_STEPS = 3
IN_ORDER = [F("occurred_at").asc(), F("id").asc()]


class StepParams(NarrowParams):
    """A later step: so often what is narrowed, within so many days of the step before (none: whenever)."""

    op: Literal["at_least", "at_most", "exactly"] = "at_least"
    times: int = Field(default=1, ge=0, le=10000)
    within_days: int | None = Field(default=None, ge=0, le=36500)

    @property
    def is_wanted(self) -> bool:
        """Whether it needs something to have happened, so that it has a moment of its own."""
        return self.op != "at_most" and self.times > 0

    @model_validator(mode="after")
    def _asks_something(self) -> StepParams:
        if self.op == "at_least" and self.times == 0:
            raise ValueError(_("At least 0 times always holds. Choose “at most” for not at all."))
        return self


class SequenceParams(FactParams):
    """The first step in its window, and the steps after it."""

    times: int = Field(default=1, ge=1, le=10000)
    at_least_total_cents: int | None = Field(default=None, ge=1, le=10**9)
    anchor: Literal["first", "last", "each"] = "first"
    then: tuple[StepParams, ...] = Field(min_length=1, max_length=LATER_STEPS)

    @model_validator(mode="after")
    def _one_measure(self) -> SequenceParams:
        if self.at_least_total_cents and self.times > 1:
            raise ValueError(_("Ask for a number of times or for an amount, not for both."))
        if self.anchor != "first" and not self.is_single:
            raise ValueError(_("The last or each occurrence can only be asked of something that happened once."))
        return self

    @property
    def is_single(self) -> bool:
        """Whether one event is the first step."""
        return self.times == 1 and self.at_least_total_cents is None


def _numbered() -> dict[str, forms.Field]:
    """Return the fields of the later steps: kind2, op2, times2, …; those of a step show once its kind is chosen."""
    fields: dict[str, forms.Field] = {}
    for n in range(2, LATER_STEPS + 2):
        named: dict[str, forms.Field] = {
            "kind": forms.ChoiceField(
                label=gettext_lazy("And then") if n == 2 else gettext_lazy("And after that"),
                choices=lambda: [("", "---------"), *wording.kind_choices()],
                required=n == 2,
            ),
            "op": forms.ChoiceField(label=gettext_lazy("How often"), choices=OPS[:3], required=False),
            "times": forms.IntegerField(
                label=gettext_lazy("Times"), required=False, min_value=0, max_value=10000, initial=1
            ),
            "within_days": forms.IntegerField(
                label=gettext_lazy("Within … days (empty: whenever)"), required=False, min_value=0, max_value=36500
            ),
            "world": forms.MultipleChoiceField(
                label=gettext_lazy("World"), required=False, choices=lambda: wording.world_choices()[1:]
            ),
            "genre": CodesField(label=gettext_lazy("Genre")),
            "sector": CodesField(label=gettext_lazy("Sector")),
            "branch": forms.MultipleChoiceField(
                label=gettext_lazy("Branch"), required=False, choices=wording.branch_choices
            ),
            "source": forms.MultipleChoiceField(label=gettext_lazy("Source"), required=False, choices=source_choices),
            "at_least_seconds": forms.IntegerField(
                label=gettext_lazy("Lasted at least … seconds"), required=False, min_value=1, max_value=86400
            ),
            "at_least_quantity": forms.IntegerField(
                label=gettext_lazy("At least … at once"), required=False, min_value=1, max_value=100000
            ),
            "at_least_cents": EurosField(label=gettext_lazy("Came to at least … euros")),
        }
        for name in NarrowForm.NARROW:  # they may stand folded away together, so each says of which step it is
            named[name].label = format_lazy(gettext_lazy("step {n}: {name}"), n=n, name=named[name].label)
        fields |= {f"{name}{n}": field for name, field in named.items()}
    return fields


class SequenceForm(FactForm):
    times = forms.IntegerField(
        label=gettext_lazy("At least … times"), required=False, min_value=1, max_value=10000, initial=1
    )
    at_least_total_cents = EurosField(label=gettext_lazy("Or for at least … euros in all"))
    anchor = forms.ChoiceField(
        label=gettext_lazy("Count from"),
        required=False,
        initial="first",
        choices=[
            ("first", gettext_lazy("the first time")),
            ("last", gettext_lazy("the last time")),
            ("each", gettext_lazy("each time: one that fits will do")),
        ],
    )
    NARROW = (
        *NarrowForm.NARROW,
        *(f"{name}{n}" for n in range(2, LATER_STEPS + 2) for name in NarrowForm.NARROW),
    )
    field_order = ("kind", "times", "at_least_total_cents", "anchor", *WindowForm.WINDOW, *NarrowForm.NARROW)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        codes = tuple(kind.code for kind in fact_kinds)
        for name, field in _numbered().items():
            self.fields[name] = field
            number = int(name[-1]) - name.startswith("kind")  # a kind can be chosen once there is one before it
            if number > 1:
                shown_when(self, name, f"kind{number}", codes)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("at_least_total_cents", *(f"at_least_cents{n}" for n in range(2, LATER_STEPS + 2))):
            if cleaned.get(name):
                cleaned[name] = int(cleaned[name] * 100)
        return cleaned


class Then(FactCriterion):
    """Went through steps, one after the other."""

    code = "facts.then"
    label = gettext_lazy("Did something, and something else since then")
    params = SequenceParams
    form = SequenceForm

    def to_q(self, params: SequenceParams, *, now: dt.datetime) -> Q:
        return Q(Chain(_start(params, now), _links(params, now), earliest=not params.is_single))

    def sentence(self, params: SequenceParams) -> str:
        values = {"when": params.words(), "often": _first_words(params), "what": what(params.kind)}
        first = narrowed(_("have %(what)s %(often)s %(when)s") % values, params)
        return "".join((first, *(narrowed(_step_words(step), step) for step in params.then)))

    def check(self, params: SequenceParams) -> None:
        check_codes(params)
        for number, step in enumerate(params.then, start=2):
            check_codes(step, suffix=str(number))

    def rows_since(self, params: SequenceParams, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return what it must see: since the window of the first step, of all kinds."""
        start = params.happened(now=now)[0]
        return dict.fromkeys([params.kind, *(step.kind for step in params.then)], start)

    def seen(self, params: SequenceParams, customer: Customer, *, now: dt.datetime) -> str:
        links = _links(params, now, moments=True)
        chain = Moments(_start(params, now), links, earliest=not params.is_single)
        row = Customer.everyone.filter(pk=customer.pk).annotate(reached=chain).values_list("reached").first()
        moments = row[0] if row else None
        if not moments:
            return _("the first step was never reached")
        return "; ".join(_seen_words(params, moments))

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows: the fields of later steps have the number of the step behind their name."""
        dumped = super().initial(params)
        if "at_least_total_cents" in dumped:
            dumped["at_least_total_cents"] /= 100
        for number, step in enumerate(dumped.pop("then"), start=2):
            dumped |= {f"{name}{number}": value for name, value in shown(step).items()}
        return dumped

    def read(self, cleaned_data: Mapping[str, Any]) -> Params:
        """Turn a valid form into params; steps without a kind are left out."""
        flat = dict(cleaned_data)
        steps = [
            {name: value for name in STEP if (value := flat.pop(f"{name}{n}", None)) not in (None, "", [])}
            for n in range(2, LATER_STEPS + 2)
        ]
        return super().read(flat | {"then": [step for step in steps if "kind" in step]})


STEP = tuple(StepParams.model_fields)


def _start(params: SequenceParams, now: dt.datetime) -> QuerySet[Any, Any]:
    """Return customers with the moment at which they reached the first step."""
    facts = facts_of(params, *params.happened(now=now))
    if params.at_least_total_cents:
        spent = facts.annotate(spent=Window(Sum("amount_cents"), [F("customer_id")], IN_ORDER))
        return spent.filter(spent__gte=params.at_least_total_cents).values("customer_id", "occurred_at")
    if params.times > 1:
        turns = facts.annotate(turn=Window(RowNumber(), [F("customer_id")], IN_ORDER))
        return turns.filter(turn=params.times).values("customer_id", "occurred_at")
    if params.anchor == "each":
        return facts.values("customer_id", "occurred_at")
    edge = Max("occurred_at") if params.anchor == "last" else Min("occurred_at")
    return facts.values("customer_id").annotate(moment=edge)


def _links(params: SequenceParams, now: dt.datetime, *, moments: bool = False) -> list[Link]:
    """Return the later steps; each looks after the last one before it that has a moment. With ``moments`` each tells
    its moment, also where nobody goes on from it.
    """
    links, since = [], 1
    for number, step in enumerate(params.then, start=2):
        is_last = not moments and number == len(params.then) + 1 and (step.op, step.times) == ("at_least", 1)
        is_never = not moments and not step.is_wanted and step.times == 0
        links.append(Link(_following(step, since, now, any_will_do=is_last or is_never), step.is_wanted, is_last))
        if step.is_wanted:
            since = number
    return links


def _following(step: StepParams, since: int, now: dt.datetime, *, any_will_do: bool) -> QuerySet[Any, Any]:
    """Return the moment at which a step is reached, or, of one that must not be passed, at which it is; or all moments,
    where any will do.
    """
    facts = narrow(Fact.objects.filter(customer_id=owner(), occurred_at__gt=moment(since), occurred_at__lt=now), step)
    if step.within_days is not None:
        facts = facts.filter(occurred_at__lt=DaysLater(moment(since), step.within_days))
    if any_will_do:
        return facts.values("occurred_at")
    if step.op == "exactly" and step.times > 0:
        counted = facts.values("customer_id").annotate(times=Count("*"), at=Max("occurred_at"))
        return counted.filter(times=step.times).values("at")
    nth = step.times - 1 if step.is_wanted else step.times
    return facts.order_by("occurred_at", "id").values("occurred_at")[nth : nth + 1]


def _first_words(params: SequenceParams) -> str:
    if params.at_least_total_cents:
        return _("for at least %s in all") % format_cents(params.at_least_total_cents)
    if params.anchor == "each":
        return _("at some time")
    if params.anchor == "last":
        return _("for the last time")
    return ngettext("at least %d time", "at least %d times", params.times) % params.times


def _step_words(step: StepParams) -> str:
    values = {"what": what(step.kind), "often": _often(step), "days": step.within_days}
    if step.within_days is None:
        return _(", and then %(what)s %(often)s") % values
    if step.within_days == 0:
        return _(", and then %(what)s %(often)s on the same day") % values
    words = ngettext(
        ", and then %(what)s %(often)s within %(days)d day",
        ", and then %(what)s %(often)s within %(days)d days",
        step.within_days,
    )
    return words % values


def _often(step: StepParams) -> str:
    if step.op != "at_least" and step.times == 0:
        return _("not once")
    words = {
        "at_least": ngettext("at least %d time", "at least %d times", step.times),
        "at_most": ngettext("at most %d time", "at most %d times", step.times),
        "exactly": ngettext("exactly %d time", "exactly %d times", step.times),
    }
    return words[step.op] % step.times


def _seen_words(params: SequenceParams, moments: list[dt.datetime | None]) -> Iterator[str]:
    """Yield a few words per step: when it was reached, or that it was not, and then no more."""
    for number, (step, reached) in enumerate(zip((None, *params.then), moments, strict=True), start=1):
        name = fact_kinds[step.kind if step else params.kind].name
        if step is None or step.is_wanted:
            words = _("step %(n)d (%(kind)s) on %(day)s") if reached else _("step %(n)d (%(kind)s) not reached")
        else:
            words = _("step %(n)d (%(kind)s) broken on %(day)s") if reached else _("step %(n)d (%(kind)s) holds")
        yield words % {"n": number, "kind": name, "day": day_of(reached) if reached else ""}
        if step is not None and step.is_wanted and not reached:
            return
