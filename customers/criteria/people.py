"""Who somebody is: kind, branch and gender."""

from __future__ import annotations

import datetime as dt
from abc import abstractmethod
from typing import Any, Literal

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field, model_validator

from common.criteria import Criterion, Params
from customers.criteria import forgetting, wording
from customers.models import Branch, Customer

WHO = gettext_lazy("Who they are")
ANY_OR_NONE = [("any", gettext_lazy("is one of")), ("none", gettext_lazy("is none of"))]


class Bounds(Params):
    """A lower and an upper bound, both included; one of them may be open."""

    at_least: int | None = Field(default=None, ge=0, le=200)
    at_most: int | None = Field(default=None, ge=0, le=200)

    @model_validator(mode="after")
    def _in_order(self) -> Bounds:
        if self.at_least is None and self.at_most is None:
            raise ValueError(_("Fill in at least one of the two."))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(_("The lowest number must not be above the highest."))
        return self


class BoundsForm(forms.Form):
    at_least = forms.IntegerField(label=gettext_lazy("At least"), required=False, min_value=0, max_value=200)
    at_most = forms.IntegerField(label=gettext_lazy("At most"), required=False, min_value=0, max_value=200)


class OneOfParams(Params):
    """``op``: one of what was chosen, or none of it. Rules of the first months have no ``op``."""

    op: Literal["any", "none"] = "any"


class OneOfForm(forms.Form):
    op = forms.ChoiceField(label=gettext_lazy("How it compares"), choices=ANY_OR_NONE, required=False, initial="any")


class OneOf(Criterion):
    """What has one value out of a list; "none of" finds who has another one, or none at all."""

    group = WHO
    forgets = forgetting.OF_CUSTOMERS

    def to_q(self, params: Any, *, now: dt.datetime) -> Q:
        chosen = self.chosen(params)
        return ~chosen if params.op == "none" else chosen

    @abstractmethod
    def chosen(self, params: Any) -> Q:
        """Return the condition that it is one of what was chosen."""


class KindParams(OneOfParams):
    kinds: list[Customer.Kind] = Field(min_length=1)


class KindForm(OneOfForm):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kind of customer"), choices=Customer.Kind, widget=forms.CheckboxSelectMultiple
    )


class Kind(OneOf):
    """Member, newsletter contact, prospect or former member."""

    code = "customer.kind"
    label = gettext_lazy("Kind of customer")
    params = KindParams
    form = KindForm

    def chosen(self, params: KindParams) -> Q:
        return Q(kind__in=params.kinds)

    def sentence(self, params: KindParams) -> str:
        kinds = {"kinds": wording.one_of(str(kind.label).lower() for kind in params.kinds)}
        return (_("are not %(kinds)s") if params.op == "none" else _("are %(kinds)s")) % kinds

    def seen(self, params: KindParams, customer: Customer, *, now: dt.datetime) -> str:
        return customer.get_kind_display().lower()


class BranchParams(OneOfParams):
    branches: list[str] = Field(min_length=1)


class BranchForm(OneOfForm):
    branches = forms.MultipleChoiceField(
        label=gettext_lazy("Branches"), choices=wording.branch_choices, widget=forms.CheckboxSelectMultiple
    )


class OfBranch(OneOf):
    """The branch somebody is registered with."""

    code = "customer.branch"
    label = gettext_lazy("Branch")
    params = BranchParams
    form = BranchForm

    def chosen(self, params: BranchParams) -> Q:
        return Q(branch__in=Branch.objects.filter(code__in=params.branches).order_by().values("pk"))

    def sentence(self, params: BranchParams) -> str:
        names = {"branches": wording.one_of(wording.named(params.branches, wording.branch_choices()))}
        return (_("do not belong to %(branches)s") if params.op == "none" else _("belong to %(branches)s")) % names

    def seen(self, params: BranchParams, customer: Customer, *, now: dt.datetime) -> str:
        return str(customer.branch) if customer.branch else _("no branch")

    def check(self, params: BranchParams) -> None:
        known = [code for code, _name in wording.branch_choices()]
        wording.require_known(params.branches, known, field="branches")


class GenderParams(OneOfParams):
    genders: list[Customer.Gender] = Field(min_length=1)


class GenderForm(OneOfForm):
    genders = forms.MultipleChoiceField(
        label=gettext_lazy("Gender"),
        choices=[(gender.value or "unknown", gender.label) for gender in Customer.Gender],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_genders(self) -> list[str]:
        return [gender.replace("unknown", "") for gender in self.cleaned_data["genders"]]


class Gender(OneOf):
    """Gender as the source has it, unknown included."""

    code = "customer.gender"
    label = gettext_lazy("Gender")
    params = GenderParams
    form = GenderForm

    def chosen(self, params: GenderParams) -> Q:
        return Q(gender__in=params.genders)

    def sentence(self, params: GenderParams) -> str:
        names = {"genders": wording.one_of(str(gender.label).lower() for gender in params.genders)}
        return (_("do not have gender %(genders)s") if params.op == "none" else _("have gender %(genders)s")) % names

    def seen(self, params: GenderParams, customer: Customer, *, now: dt.datetime) -> str:
        return customer.get_gender_display().lower()

    def initial(self, params: Params) -> dict[str, object]:
        shown = super().initial(params)
        return shown | {"genders": [gender or "unknown" for gender in shown["genders"]]}
