"""Who somebody is: kind, branch, age, birthday, gender, and since when."""

from __future__ import annotations

import datetime as dt

from dateutil.relativedelta import relativedelta
from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from pydantic import Field, model_validator

from common.criteria import Criterion, Params
from common.time import local_date
from customers.criteria import wording
from customers.models import Branch, Customer

WHO = gettext_lazy("Who they are")


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


class KindParams(Params):
    kinds: list[Customer.Kind] = Field(min_length=1)


class KindForm(forms.Form):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kind of customer"), choices=Customer.Kind, widget=forms.CheckboxSelectMultiple
    )


class Kind(Criterion):
    """Member, newsletter contact, prospect or former member."""

    code = "customer.kind"
    group = WHO
    label = gettext_lazy("Kind of customer")
    params = KindParams
    form = KindForm

    def to_q(self, params: KindParams, *, now: dt.datetime) -> Q:
        return Q(kind__in=params.kinds)

    def sentence(self, params: KindParams) -> str:
        return _("are %(kinds)s") % {"kinds": wording.one_of(str(kind.label).lower() for kind in params.kinds)}


class BranchParams(Params):
    branches: list[str] = Field(min_length=1)


class BranchForm(forms.Form):
    branches = forms.MultipleChoiceField(
        label=gettext_lazy("Branches"), choices=wording.branch_choices, widget=forms.CheckboxSelectMultiple
    )


class OfBranch(Criterion):
    """The branch somebody is registered with."""

    code = "customer.branch"
    group = WHO
    label = gettext_lazy("Branch")
    params = BranchParams
    form = BranchForm

    def to_q(self, params: BranchParams, *, now: dt.datetime) -> Q:
        return Q(branch__in=Branch.objects.filter(code__in=params.branches).values("pk"))

    def sentence(self, params: BranchParams) -> str:
        names = wording.named(params.branches, wording.branch_choices())
        return _("belong to %(branches)s") % {"branches": wording.one_of(names)}

    def check(self, params: BranchParams) -> None:
        known = [code for code, _name in wording.branch_choices()]
        wording.require_known(params.branches, known, field="branches")


class AgeBetween(Criterion):
    """Age in whole years today; unknown birth dates never match."""

    code = "customer.age"
    group = WHO
    label = gettext_lazy("Age")
    params = Bounds
    form = BoundsForm

    def to_q(self, params: Bounds, *, now: dt.datetime) -> Q:
        today, q = local_date(now), Q(birth_date__isnull=False)
        if params.at_least is not None:
            q &= Q(birth_date__lte=today - relativedelta(years=params.at_least))
        if params.at_most is not None:
            q &= Q(birth_date__gt=today - relativedelta(years=params.at_most + 1))
        return q

    def sentence(self, params: Bounds) -> str:
        return _("are %(age)s years old") % {"age": wording.between(params.at_least, params.at_most)}


class BirthdayParams(Params):
    """From ``days_ahead`` days ahead until ``until_days_ahead`` (the same day when empty); 0 is today."""

    days_ahead: int = Field(default=0, ge=0, le=365)
    until_days_ahead: int | None = Field(default=None, ge=0, le=365)

    @model_validator(mode="after")
    def _in_order(self) -> BirthdayParams:
        last = self.until_days_ahead
        if last is not None and not self.days_ahead <= last <= self.days_ahead + 92:
            raise ValueError(_("The period must start before it ends and may last three months at most."))
        return self


class BirthdayForm(forms.Form):
    days_ahead = forms.IntegerField(
        label=gettext_lazy("Birthday in how many days (0 is today)"), min_value=0, max_value=365, initial=0
    )
    until_days_ahead = forms.IntegerField(
        label=gettext_lazy("Until how many days (empty: exactly that day)"),
        required=False,
        min_value=0,
        max_value=365,
    )


class BirthdayAhead(Criterion):
    """Whose birthday comes; who was born on 29 February has it on the 28th in other years."""

    code = "customer.birthday"
    group = WHO
    label = gettext_lazy("Birthday")
    params = BirthdayParams
    form = BirthdayForm

    def to_q(self, params: BirthdayParams, *, now: dt.datetime) -> Q:
        last = params.days_ahead if params.until_days_ahead is None else params.until_days_ahead
        q = Q(pk__in=[])
        for ahead in range(params.days_ahead, last + 1):
            day = local_date(now) + dt.timedelta(days=ahead)
            q |= Q(birth_date__month=day.month, birth_date__day=day.day)
            if (day.month, day.day) == (2, 28) and (day + dt.timedelta(days=1)).month == 3:
                q |= Q(birth_date__month=2, birth_date__day=29)
        return q

    def sentence(self, params: BirthdayParams) -> str:
        last = params.until_days_ahead
        if last is not None and last != params.days_ahead:
            return _("have their birthday in %(first)s to %(last)s days") % {
                "first": params.days_ahead,
                "last": last,
            }
        if params.days_ahead == 0:
            return _("have their birthday today")
        words = ngettext("have their birthday in %d day", "have their birthday in %d days", params.days_ahead)
        return words % params.days_ahead


class GenderParams(Params):
    genders: list[Customer.Gender] = Field(min_length=1)


class GenderForm(forms.Form):
    genders = forms.MultipleChoiceField(
        label=gettext_lazy("Gender"),
        choices=[(gender.value or "unknown", gender.label) for gender in Customer.Gender],
        widget=forms.CheckboxSelectMultiple,
    )

    def clean_genders(self) -> list[str]:
        return [gender.replace("unknown", "") for gender in self.cleaned_data["genders"]]


class Gender(Criterion):
    """Gender as the source has it, unknown included."""

    code = "customer.gender"
    group = WHO
    label = gettext_lazy("Gender")
    params = GenderParams
    form = GenderForm

    def to_q(self, params: GenderParams, *, now: dt.datetime) -> Q:
        return Q(gender__in=params.genders)

    def sentence(self, params: GenderParams) -> str:
        names = wording.one_of(str(gender.label).lower() for gender in params.genders)
        return _("have gender %(genders)s") % {"genders": names}

    def initial(self, params: Params) -> dict[str, object]:
        return {"genders": [gender or "unknown" for gender in super().initial(params)["genders"]]}


class RegisteredParams(Params):
    """Registered in the past N days, today included, or longer ago than N days."""

    within_days: int | None = Field(default=None, ge=0, le=36500)
    more_than_days: int | None = Field(default=None, ge=0, le=36500)

    @model_validator(mode="after")
    def _something(self) -> RegisteredParams:
        if self.within_days is None and self.more_than_days is None:
            raise ValueError(_("Fill in at least one of the two."))
        return self


class RegisteredForm(forms.Form):
    within_days = forms.IntegerField(
        label=gettext_lazy("Registered in the past … days"), required=False, min_value=0, max_value=36500
    )
    more_than_days = forms.IntegerField(
        label=gettext_lazy("Registered more than … days ago"), required=False, min_value=0, max_value=36500
    )


class RegisteredSince(Criterion):
    """How long ago somebody was registered."""

    code = "customer.registered"
    group = WHO
    label = gettext_lazy("Registered since")
    params = RegisteredParams
    form = RegisteredForm

    def to_q(self, params: RegisteredParams, *, now: dt.datetime) -> Q:
        today, q = local_date(now), Q(registered_on__lte=local_date(now))
        if params.within_days is not None:
            q &= Q(registered_on__gte=today - dt.timedelta(days=params.within_days))
        if params.more_than_days is not None:
            q &= Q(registered_on__lt=today - dt.timedelta(days=params.more_than_days))
        return q

    def sentence(self, params: RegisteredParams) -> str:
        if params.within_days is None:
            return _("were registered more than %(days)s days ago") % {"days": params.more_than_days}
        if params.more_than_days is None:
            return _("were registered in the past %(days)s days") % {"days": params.within_days}
        return _("were registered %(first)s to %(last)s days ago") % {
            "first": params.more_than_days,
            "last": params.within_days,
        }
