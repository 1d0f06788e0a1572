"""Forms about newsletters and editions: shape only, the rules are in newsletter.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers.consents import reaching_purposes
from customers.models import Purpose
from labels.models import Label
from mailings.blocks import RichText, WebAddress
from mailings.models import Mailing
from newsletter.models import Edition, TextItem
from selections.models import Selection


class NewsletterForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(
        label=_("Description"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Customers read this in MijnMenu, where they subscribe and unsubscribe."),
    )
    priority = forms.TypedChoiceField(
        label=_("Priority"),
        choices=Mailing.Priority,
        coerce=int,
        initial=Mailing.Priority.NORMAL,
        help_text=_("Decides whose message goes first for who has had nearly enough. Service messages always go."),
    )
    hold_out_percent = forms.IntegerField(
        label=_("Own control group (percent)"),
        min_value=0,
        max_value=50,
        initial=0,
        required=False,
        help_text=_(
            "A fixed share of the subscribers that gets no edition, to measure what the newsletter does. They said yes"
            " to it, so keep it small and not for ever."
        ),
    )

    def clean_hold_out_percent(self) -> int:
        return self.cleaned_data["hold_out_percent"] or 0


class NewsletterAddForm(NewsletterForm):
    purpose = forms.ModelChoiceField(
        reaching_purposes().filter(rule=Purpose.Rule.OPT_IN, newsletter=None),
        label=_("Subscribers so far"),
        required=False,
        empty_label=_("Nobody yet: start with an empty list"),
        help_text=_("Or take over a purpose that people have said yes to before."),
    )


class NewsletterChangeForm(NewsletterForm):
    is_active = forms.BooleanField(
        label=_("Appears"), required=False, help_text=_("Switched off, nobody can subscribe and nothing is sent.")
    )


class EditionForm(forms.Form):
    subject = forms.CharField(
        label=_("Subject"),
        max_length=200,
        help_text=_("May hold a field, for example {{ first_name }} for the first name."),
    )
    preheader = forms.CharField(
        label=_("Preview text"),
        max_length=200,
        required=False,
        help_text=_("Stands beside the subject in the list of mails."),
    )
    introduction = RichText(label=_("Introduction"), required=False)


class ItemForm(forms.Form):
    FOR_WHOM = [
        ("everybody", _("Every subscriber")),
        ("selection", _("Subscribers in a selection")),
        ("label", _("Subscribers with a label")),
    ]

    title = forms.CharField(label=_("Title"), max_length=150)
    body = RichText(label=_("Text"))
    link = WebAddress(label=_("Link"), required=False)
    link_text = forms.CharField(
        label=_("Link text"), max_length=60, required=False, help_text=_("For example “Reserve your place”.")
    )
    for_whom = forms.ChoiceField(label=_("For whom"), choices=FOR_WHOM, initial="everybody", widget=forms.RadioSelect)
    selection = forms.ModelChoiceField(
        Selection.objects.in_use(), label=_("Selection"), required=False, empty_label=_("Choose a selection")
    )
    label = forms.ModelChoiceField(
        Label.objects.filter(is_active=True), label=_("Label"), required=False, empty_label=_("Choose a label")
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = data.get("for_whom")
        for name in ("selection", "label"):
            if chosen != name:
                data[name] = None
            elif not data.get(name) and name not in self.errors:
                self.add_error(name, _("Choose one."))
        return data


class PlanForm(forms.Form):
    send_at = forms.DateTimeField(
        label=_("Send at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
    )


def initial_of_edition(edition: Edition) -> dict[str, Any]:
    return {name: getattr(edition, name) for name in ("subject", "preheader", "introduction")}


def initial_of_item(item: TextItem) -> dict[str, Any]:
    names = ("title", "body", "link", "link_text", "selection", "label")
    for_whom = "selection" if item.selection_id else "label" if item.label_id else "everybody"
    return {"for_whom": for_whom, **{name: getattr(item, name) for name in names}}
