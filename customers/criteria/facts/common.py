"""What the criteria over facts share: which facts are meant, how that is said, and how far back they are kept."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, field_validator

from common.criteria import Params
from common.money import format_cents
from common.remembering import remembered
from customers.criteria import wording
from customers.criteria.facts.shapes import worked_out_once
from customers.criteria.moments import day_of
from customers.criteria.several import Codes, SeveralCriterion
from customers.criteria.windows import WindowForm, WindowParams
from customers.facts import fact_kinds
from customers.models import Branch, Customer, Fact, KindSetting, Source
from customers.models.querysets import FactQuerySet

GROUP = gettext_lazy("What they did")

#: What counts as one time: each fact, the lines of one order together, or all of one Amsterdam day.
Per = Literal["fact", "order", "day"]
PER = [
    ("fact", gettext_lazy("each time")),
    ("order", gettext_lazy("an order, with all its lines")),
    ("day", gettext_lazy("a day, whatever happened on it")),
]


class NarrowParams(Params):
    """Facts of a kind; narrowed by codes (any of them will do) and by how long one lasted, how many it was of at
    once, or what it came to.
    """

    kind: str
    world: Codes = ()
    genre: Codes = ()
    sector: Codes = ()
    branch: Codes = ()
    source: Codes = ()
    at_least_seconds: int | None = Field(default=None, ge=1, le=86400)
    at_least_quantity: int | None = Field(default=None, ge=1, le=100000)
    at_least_cents: int | None = Field(default=None, ge=1, le=10**9)

    @field_validator("kind")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in fact_kinds:
            raise ValueError(_("The kind “%s” does not exist.") % value[:60])
        return value

    @property
    def is_narrowed(self) -> bool:
        """Whether not every fact of the kind counts."""
        codes = (self.world, self.genre, self.sector, self.branch, self.source)
        return any((*codes, self.at_least_seconds, self.at_least_quantity, self.at_least_cents))


class FactParams(NarrowParams, WindowParams):
    """Facts of a kind in a window of time.

    What is not narrowed is answered from the totals of customers where those tell it exactly; they outlive facts
    whose retention is over. All else only sees facts that are still kept.
    """


@remembered
def source_choices() -> wording.Choices:
    """Return all sources, by code: what the product itself notes is a source as well."""
    return list(Source.objects.values_list("code", "name"))


def codes_in(text: str) -> list[str]:
    """Return the codes in a text, which commas separate."""
    return [code for part in text.split(",") if (code := part.strip())]


class EurosField(forms.DecimalField):
    """An amount in euros, which ``FactForm`` hands on as cents."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_digits=9, decimal_places=2, localize=True, required=False, **kwargs)


class CodesField(forms.CharField):
    """Codes that no list of ours knows, with commas between them."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = gettext_lazy("More than one? Put commas between them.")
        super().__init__(required=False, max_length=400, help_text=help_text, **kwargs)

    def clean(self, value: Any) -> Any:
        return codes_in(super().clean(value))


class NarrowForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=wording.kind_choices)
    world = forms.MultipleChoiceField(
        label=gettext_lazy("World"), required=False, choices=lambda: wording.world_choices()[1:]
    )
    genre = CodesField(label=gettext_lazy("Genre"))
    sector = CodesField(label=gettext_lazy("Sector"))
    branch = forms.MultipleChoiceField(label=gettext_lazy("Branch"), required=False, choices=wording.branch_choices)
    source = forms.MultipleChoiceField(label=gettext_lazy("Source"), required=False, choices=source_choices)
    at_least_seconds = forms.IntegerField(
        label=gettext_lazy("Lasted at least … seconds"), required=False, min_value=1, max_value=86400
    )
    at_least_quantity = forms.IntegerField(
        label=gettext_lazy("At least … at once"), required=False, min_value=1, max_value=100000
    )
    at_least_cents = EurosField(label=gettext_lazy("Came to at least … euros"))

    NARROW: tuple[str, ...] = (
        "world", "genre", "sector", "branch", "source", "at_least_seconds", "at_least_quantity", "at_least_cents",
    )  # fmt: skip

    def clean_at_least_cents(self) -> int | None:
        euros: Decimal | None = self.cleaned_data["at_least_cents"]
        return int(euros * 100) if euros else None


class FactForm(NarrowForm, WindowForm):
    field_order: tuple[str, ...] = ("kind", *WindowForm.WINDOW, *NarrowForm.NARROW)


def facts_of(params: NarrowParams, start: dt.datetime | None, end: dt.datetime) -> FactQuerySet:
    """Return the facts that the params speak of, from ``start`` until just before ``end``, of any customer."""
    return narrow(Fact.objects.between(start, end), params)


def narrow(facts: FactQuerySet, params: NarrowParams) -> FactQuerySet:
    """Keep the facts of the kind that the params speak of, without order."""
    return facts.filter(such(params), kind=params.kind).order_by()


def by_customer(facts: FactQuerySet, params: NarrowParams) -> Any:
    """Return facts that the params speak of as a row per customer, to be counted or added up.

    All facts of a kind are told by an index, and grouping them is the work. Narrowed ones have to be looked at one by
    one, which several processes do faster, and few are left.
    """
    return (facts if params.is_narrowed else worked_out_once(facts)).values("customer_id")


def such(params: NarrowParams) -> Q:
    """Return the condition by which facts of the kind are narrowed; an empty one when they are not."""
    q = Q()
    for field in ("world", "genre", "sector"):
        if codes := getattr(params, field):
            q &= Q(**{f"{field}__in": codes})
    if params.branch:
        q &= Q(branch__in=Branch.objects.filter(code__in=params.branch).values("pk"))
    if params.source:
        q &= Q(source__in=Source.objects.filter(code__in=params.source).values("pk"))
    if params.at_least_seconds:
        q &= Q(duration_seconds__gte=params.at_least_seconds)
    if params.at_least_quantity:
        q &= Q(quantity__gte=params.at_least_quantity)
    if params.at_least_cents:
        q &= Q(amount_cents__gte=params.at_least_cents)
    return q


def narrowed(sentence: str, params: NarrowParams) -> str:
    """Return the sentence with what narrows it behind: "… (world Reizen, branch Edam)"."""
    parts = list(_narrowings(params))
    return f"{sentence} ({', '.join(parts)})" if parts else sentence


def _narrowings(params: NarrowParams) -> list[str]:
    parts = []
    if params.world:
        parts.append(_("world %s") % _named(params.world, wording.world_choices()))
    if params.genre:
        parts.append(_("genre %s") % wording.one_of(params.genre))
    if params.sector:
        parts.append(_("sector %s") % wording.one_of(params.sector))
    if params.branch:
        parts.append(_("branch %s") % _named(params.branch, wording.branch_choices()))
    if params.source:
        parts.append(_("from %s") % _named(params.source, source_choices()))
    if params.at_least_seconds:
        seconds = ngettext("at least %d second", "at least %d seconds", params.at_least_seconds)
        parts.append(seconds % params.at_least_seconds)
    if params.at_least_quantity:
        parts.append(_("at least %d at once") % params.at_least_quantity)
    if params.at_least_cents:
        parts.append(_("at least %s a time") % format_cents(params.at_least_cents))
    return parts


def _named(codes: tuple[str, ...], choices: wording.Choices) -> str:
    return wording.one_of(wording.named(codes, choices))


def what(kind: str) -> str:
    """Return what they have done: "borrowed"."""
    return str(fact_kinds[kind].done)


@remembered
def kept_from(kind: str) -> dt.datetime | None:
    """Return the moment before which facts of a kind have become counts; None when all are there."""
    kept: dt.datetime | None = (
        KindSetting.objects.filter(code=kind).values_list("kept_from", flat=True).order_by().first()
    )
    return kept


class FactCriterion(SeveralCriterion):
    """What the criteria over facts share."""

    group = GROUP

    def rows_since(self, params: Any, *, now: dt.datetime) -> dict[str, dt.datetime | None]:
        """Return kind -> since when its facts must still be there for an exact answer at ``now``; None: all of them.

        What totals, and the remainders of facts that are gone, answer by themselves is left out.
        """
        return {params.kind: params.happened(now=now)[0]}

    def gap(self, params: Any, *, now: dt.datetime, present: dt.datetime) -> str:
        """Return why the answer at ``now`` would be a guess: facts it must see are not kept any more."""
        for kind, since in self.rows_since(params, now=now).items():
            kept = kept_from(kind)
            if kept is not None and (since is None or since < kept):
                values = {"kind": fact_kinds[kind].name, "day": day_of(kept)}
                return _("Of “%(kind)s” only what happened since %(day)s is kept.") % values
        return ""

    def check(self, params: Any) -> None:
        """Refuse worlds, branches and sources that are not there."""
        check_codes(params)

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows: codes with commas between them, euros."""
        return shown(super().initial(params))


def check_codes(params: NarrowParams, suffix: str = "") -> None:
    """Refuse worlds, branches and sources that are not there; ``suffix`` belongs to the names of the form's fields."""
    known = {"world": wording.world_choices, "branch": wording.branch_choices, "source": source_choices}
    for field, choices in known.items():
        if codes := getattr(params, field):
            wording.require_known(codes, dict(choices()), field=f"{field}{suffix}")


def shown(dumped: dict[str, Any]) -> dict[str, Any]:
    """Return dumped params as a form shows them."""
    for name in ("genre", "sector"):
        if name in dumped:
            dumped[name] = ", ".join(dumped[name])
    if "at_least_cents" in dumped:
        dumped["at_least_cents"] /= 100
    return {name: value for name, value in dumped.items() if value not in ([], "")}


def last_of(params: NarrowParams, customer: Customer, *, now: dt.datetime) -> dt.datetime | None:
    """Return when a customer last did what the params speak of before ``now``, in any window."""
    found = facts_of(params, None, now).filter(customer=customer)
    last: dt.datetime | None = found.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    return last
