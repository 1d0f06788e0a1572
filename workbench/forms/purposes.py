"""Forms about purposes: shape only, the rules are in customers.actions.purposes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.models import Purpose, PurposeChannel

Basis = PurposeChannel.Basis


class PurposeForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As customers read it in MijnMenu."))
    description = forms.CharField(
        label=_("What customers read about it"), required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    is_public = forms.BooleanField(label=_("Customers can choose it in MijnMenu"), required=False, initial=True)


class NewPurposeForm(PurposeForm):
    code = forms.SlugField(
        label=_("Code"),
        max_length=40,
        help_text=_("Short, without spaces; files and the API use it. It cannot change."),
    )
    rule = forms.ChoiceField(
        label=_("What sort of purpose is it?"), choices=Purpose.Rule.choices, initial=Purpose.Rule.OPT_IN
    )
    field_order = ["name", "code", "rule", "description", "is_public"]


class ChannelForm(forms.Form):
    basis = forms.ChoiceField(label=_("Legal basis"), widget=forms.RadioSelect)
    same_entity = forms.BooleanField(
        label=_("The organisation that writes is the one that they pay"),
        required=False,
        help_text=_("Not a partner, a foundation beside you or another branch of the group."),
    )
    was_informed = forms.BooleanField(
        label=_("They were told that you would use their address for this when they gave it"), required=False
    )
    could_refuse = forms.BooleanField(
        label=_("They could refuse it there and then, without cost or trouble"), required=False
    )
    own_similar = forms.BooleanField(
        label=_("It is about your own offer, of the kind they pay for"),
        required=False,
        help_text=_("Activities and collections of the library for members of the library; not the offers of others."),
    )
    needs_double_opt_in = forms.BooleanField(
        label=_("A sign-up counts after it was confirmed by e-mail (double opt-in)"),
        required=False,
        help_text=_("For sign-ups that come in through the API. The form of MijnMenu always asks for it."),
    )

    def __init__(self, *args: Any, bases: tuple[Basis, ...], is_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["basis"].choices = [(basis.value, basis.label) for basis in bases]  # type: ignore[attr-defined]
        if Basis.RELATION not in bases:
            for name in ("same_entity", "was_informed", "could_refuse", "own_similar"):
                del self.fields[name]
        if not is_email:
            del self.fields["needs_double_opt_in"]


class WordingForm(forms.Form):
    version = forms.CharField(label=_("Version"), max_length=40, help_text=_("For example 2026-1."))
    text = forms.CharField(
        label=_("Text"),
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The sentences to which somebody says yes: who sends what, how often, and how to stop."),
    )
    valid_from = forms.DateTimeField(
        label=_("Valid from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
