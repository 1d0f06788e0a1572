"""Forms on the pages of a selection: folder, owner, comment, looking back, comparing, keeping."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from common.roles import ADMINISTRATOR, MARKETEER
from common.time import last_of_day, local_date
from selections.comparing import Side
from selections.models import Folder, ResultSet, Selection
from workbench.forms.moments import check_day

DAY = {"type": "date"}


class MoveForm(forms.Form):
    folder = forms.ModelChoiceField(
        Folder.objects.all(), label=_("Folder"), required=False, empty_label=_("In no folder")
    )


class FolderForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=60)


class OwnerForm(forms.Form):
    owner = forms.ModelChoiceField(User.objects.none(), label=_("New owner"), empty_label=_("Choose a colleague"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        colleagues = User.objects.filter(is_active=True, groups__name__in=[MARKETEER, ADMINISTRATOR]).distinct()
        field: Any = self.fields["owner"]
        field.queryset = colleagues.order_by("first_name", "username")
        field.label_from_instance = lambda user: user.get_full_name() or user.get_username()


class CommentForm(forms.Form):
    text = forms.CharField(
        label=_("Your comment"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}), strip=True
    )


class LookBackForm(forms.Form):
    """One day, to see who were in; two, to see who came and left. Nothing filled in asks nothing."""

    first = forms.DateField(label=_("Who were in it on"), required=False, widget=forms.DateInput(attrs=DAY))
    last = forms.DateField(
        label=_("Compared with"),
        required=False,
        widget=forms.DateInput(attrs=DAY),
    )
    assume = forms.BooleanField(label=_("For these, take what holds at present"), required=False)

    def __init__(self, data: QueryDict, *, now: dt.datetime) -> None:
        super().__init__(data if "first" in data else None)
        self.now, self.today = now, local_date(now)
        for name in ("first", "last"):
            self.fields[name].widget.attrs["max"] = self.today.isoformat()

    def clean_first(self) -> dt.date | None:
        return check_day(self.cleaned_data["first"], today=self.today)

    def clean_last(self) -> dt.date | None:
        return check_day(self.cleaned_data["last"], today=self.today)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        first, last = told.get("first"), told.get("last")
        if last and not first:
            self.add_error("first", _("Choose the first day too."))
        if first and last and first >= last:
            self.add_error("last", _("The first day must come before the last."))
        return told

    def moment(self, day: dt.date) -> dt.datetime:
        """Return a day as it ended, or now for today."""
        return min(last_of_day(day), self.now)


def _sides() -> list[Any]:
    selections = Selection.objects.in_use().values_list("pk", "name")
    sets = ResultSet.objects.filter(is_waiting=False).order_by("name").values_list("pk", "name")
    return [
        ("", "–"),
        (_("Selections"), [(f"s{pk}", name) for pk, name in selections]),
        (_("Result sets"), [(f"r{pk}", name) for pk, name in sets]),
    ]


class CompareForm(forms.Form):
    """Two or three sides: selections and result sets."""

    one = forms.ChoiceField(label=_("Compare"), choices=_sides)
    two = forms.ChoiceField(label=_("with"), choices=_sides)
    three = forms.ChoiceField(label=_("and with"), choices=_sides, required=False)

    @property
    def sides(self) -> list[Side]:
        """What was chosen, of a valid form."""
        chosen = [code for code in (self.cleaned_data[name] for name in ("one", "two", "three")) if code]
        models: dict[str, Any] = {"s": Selection, "r": ResultSet}
        return [models[code[0]].objects.get(pk=int(code[1:])) for code in chosen]


class KeepForm(forms.Form):
    """What to keep: now, or as it was on a day."""

    name = forms.CharField(label=_("Name of the result set"), max_length=120)
    as_of = forms.DateField(required=False, widget=forms.HiddenInput)
    assume = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, now: dt.datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_as_of(self) -> dt.date | None:
        return check_day(self.cleaned_data["as_of"], today=local_date(self.now))

    @property
    def moment(self) -> dt.datetime | None:
        """The moment to keep; None is now."""
        day = self.cleaned_data.get("as_of")
        return min(last_of_day(day), self.now) if day else None


class RenameForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120)
