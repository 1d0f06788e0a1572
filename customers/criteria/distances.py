"""How far somebody lives from a branch, and which branch is nearest; as the crow flies, from the middle of the postal
code.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.lookups import LessThan, LessThanOrEqual
from django.utils.formats import localize
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import Field

from common.criteria import Criterion, Params
from common.errors import Refused
from customers.criteria import forgetting, wording
from customers.models import Branch, Customer, PostalPlace
from customers.places import Place, branch_places, codes_within, has_areas, km_from, living_at, place_of

GROUP = gettext_lazy("Where they live")
NOBODY = Q(pk__in=[])


def km_words(km: float) -> str:
    """Return "2.5 km"."""
    return _("%s km") % localize(round(km, 1) if km % 1 else int(km))


def _kms() -> forms.DecimalField:
    return forms.DecimalField(
        label=gettext_lazy("Kilometres"),
        min_value=Decimal("0.1"),
        max_value=200,
        max_digits=5,
        decimal_places=1,
        localize=True,
    )


def _require_place(branches: list[str]) -> None:
    """Refuse branches that are not there, or of which nobody knows where they lie."""
    wording.require_known(branches, dict(wording.branch_choices()), field="branches")
    known = branch_places()
    for branch in Branch.objects.filter(code__in=branches):
        if branch.pk not in known:
            message = _("Where “%s” lies is not known. Set it under “Places and distance”.") % branch.name
            raise Refused("no_place", message, field="branch")


class DistanceParams(Params):
    """Within ``km`` of a branch; empty is the branch that somebody belongs to."""

    km: float = Field(gt=0, le=200)
    branch: str = ""


class DistanceForm(forms.Form):
    km = _kms()
    branch = forms.ChoiceField(
        label=gettext_lazy("Of"),
        required=False,
        choices=lambda: [("", gettext_lazy("their own branch")), *wording.branch_choices()],
    )


class LivesNear(Criterion):
    """Who lives within so many kilometres of a branch, or of the own branch; unknown places never match."""

    code = "customer.distance"
    group = GROUP
    label = gettext_lazy("Distance to a branch")
    params = DistanceParams
    form = DistanceForm
    forgets = forgetting.OF_ADDRESSES

    def to_q(self, params: DistanceParams, *, now: dt.datetime) -> Q:
        places, areas = branch_places(), has_areas()
        if params.branch:
            places = {
                pk: places[pk]
                for pk in Branch.objects.filter(code=params.branch).values_list("pk", flat=True)
                if pk in places
            }
            there = (living_at(codes_within(place, params.km), areas=areas) for place in places.values())
            return reduce(or_, there, NOBODY)
        own = (Q(branch=pk) & living_at(codes_within(place, params.km), areas=areas) for pk, place in places.items())
        return reduce(or_, own, NOBODY)

    def sentence(self, params: DistanceParams) -> str:
        if not params.branch:
            return _("live within %(km)s of their own branch") % {"km": km_words(params.km)}
        name = wording.named([params.branch], wording.branch_choices())[0]
        return _("live within %(km)s of %(branch)s") % {"km": km_words(params.km), "branch": name}

    def seen(self, params: DistanceParams, customer: Customer, *, now: dt.datetime) -> str:
        branch = Branch.objects.filter(code=params.branch).first() if params.branch else customer.branch
        home = place_of(customer)
        if home is None:
            return _("where they live is not known")
        if branch is None:
            return _("no branch")
        there = branch_places().get(branch.pk)
        if there is None:
            return _("where %(branch)s lies is not known") % {"branch": branch}
        return _("%(km)s from %(branch)s") % {"km": km_words(home.km_to(there)), "branch": branch}

    def check(self, params: DistanceParams) -> None:
        if params.branch:
            _require_place([params.branch])


class NearestParams(Params):
    """The nearest of all branches is one of these, and not further than ``km``."""

    branches: list[str] = Field(min_length=1)
    km: float = Field(default=25, gt=0, le=200)


class NearestForm(forms.Form):
    branches = forms.MultipleChoiceField(
        label=gettext_lazy("Branches"), choices=wording.branch_choices, widget=forms.CheckboxSelectMultiple
    )
    km = _kms()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["km"].label = _("Not further than … kilometres")
        self.fields["km"].initial = 25


class NearestBranch(Criterion):
    """Of whom one of these branches is the nearest one, whichever they belong to; of two as near the one that is known
    longest.
    """

    code = "customer.nearest_branch"
    group = GROUP
    label = gettext_lazy("Nearest branch")
    params = NearestParams
    form = NearestForm
    forgets = forgetting.OF_ADDRESSES

    def to_q(self, params: NearestParams, *, now: dt.datetime) -> Q:
        places, areas = branch_places(), has_areas()
        chosen = [
            pk for pk in Branch.objects.filter(code__in=params.branches).values_list("pk", flat=True) if pk in places
        ]
        found = (living_at(self._nearest_to(pk, places, params.km), areas=areas) for pk in chosen)
        return reduce(or_, found, NOBODY)

    def _nearest_to(self, pk: int, places: dict[int, Place], km: float) -> QuerySet[PostalPlace]:
        here = places[pk]
        near = codes_within(here, km).alias(here=km_from(here))
        for other, there in places.items():
            if other == pk or here.km_to(there) > 2 * km:  # too far away to be nearer to anybody within reach
                continue
            compares = LessThanOrEqual if pk < other else LessThan
            near = near.filter(compares(F("here"), km_from(there)))
        return near

    def sentence(self, params: NearestParams) -> str:
        names = wording.one_of(wording.named(params.branches, wording.branch_choices()))
        return _("live nearest to %(branches)s, within %(km)s") % {"branches": names, "km": km_words(params.km)}

    def seen(self, params: NearestParams, customer: Customer, *, now: dt.datetime) -> str:
        home, places = place_of(customer), branch_places()
        if home is None:
            return _("where they live is not known")
        if not places:
            return _("no branch")
        distances = {pk: home.km_to(place) for pk, place in places.items()}
        nearest = min(distances, key=lambda pk: (distances[pk], pk))
        name = Branch.objects.get(pk=nearest)
        return _("nearest is %(branch)s, at %(km)s") % {"branch": name, "km": km_words(distances[nearest])}

    def check(self, params: NearestParams) -> None:
        _require_place(params.branches)


CRITERIA: tuple[Criterion, ...] = (LivesNear(), NearestBranch())
