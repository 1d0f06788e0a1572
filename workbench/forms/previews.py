"""Forms of looking at a message before it goes out: as whom, and to which colleagues a test goes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from common.actions import STAFF_ROLES
from customers.models import Branch


class PreviewForm(forms.Form):
    """As whom to look. ``customer`` is a customer number."""

    customer = forms.CharField(
        label=_("Customer number"), max_length=40, required=False, help_text=_("Empty: as a made-up customer reads it.")
    )
    audience = forms.ChoiceField(label=_("Or a member of"), required=False)
    branch = forms.ModelChoiceField(
        Branch.objects.filter(styles__isnull=False).distinct(),
        label=_("In the house style of"),
        required=False,
        empty_label=_("The organisation"),
    )

    def __init__(self, *args: Any, audiences: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        nobody = ("", _("Nobody in particular"))
        self.fields["audience"].choices = [nobody, *audiences]  # type: ignore[attr-defined]

    @property
    def has_audiences(self) -> bool:
        return len(self.fields["audience"].choices) > 1  # type: ignore[attr-defined]

    @property
    def has_styles(self) -> bool:
        return bool(self.fields["branch"].queryset.exists())  # type: ignore[attr-defined]


class ColleaguesField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Members of staff with an address."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.get_full_name() or obj.get_username()} ({obj.email})"


class RecipientsForm(forms.Form):
    recipients = ColleaguesField(
        User.objects.none(), label=_("To whom?"), widget=forms.CheckboxSelectMultiple, required=False
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        people = User.objects.filter(groups__name__in=STAFF_ROLES, is_active=True).exclude(email="")
        self.fields["recipients"].queryset = people.order_by("first_name", "username").distinct()  # type: ignore[attr-defined]
