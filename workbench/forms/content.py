"""Forms of the content editor: shape only, the rules are in mailings.content."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from labels.models import Label
from mailings.models import Content
from selections.models import Selection


class MarkForm(forms.Form):
    """Carries the mark of what somebody began with, so that a colleague's change in between is told, and a name of its
    own, so that nothing it has under way comes back after it was saved.
    """

    was = forms.CharField(required=False, widget=forms.HiddenInput)
    page_form = forms.CharField(required=False, widget=forms.HiddenInput)


class HeadForm(MarkForm):
    subject = forms.CharField(label=_("Subject"), max_length=200, required=False)
    preheader = forms.CharField(
        label=_("Preview text"),
        max_length=200,
        required=False,
        help_text=_("Stands beside the subject in the list of mails."),
    )


class AudienceField(forms.ChoiceField):
    """For whom a block is: ``selection:3``, ``label:5``, or empty for everybody; cleaned to what a block keeps."""

    def __init__(self, **options: Any) -> None:
        super().__init__(label=_("For whom"), required=False, choices=audience_choices, **options)

    def clean(self, value: Any) -> dict[str, Any] | None:
        kind, _colon, number = str(super().clean(value)).partition(":")
        return {"kind": kind, "id": int(number)} if number else None


def audience_choices() -> list[Any]:
    """Return every selection and every label in use, in groups."""
    selections = [(f"selection:{one.pk}", one.name) for one in Selection.objects.in_use()]
    labels = [(f"label:{one.pk}", one.name) for one in Label.objects.filter(is_active=True)]
    return [("", _("Everybody who gets this message")), (_("Selection"), selections), (_("Label"), labels)]


class AudienceForm(forms.Form):
    audience = AudienceField()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen, known = self.initial.get("audience"), audience_choices()
        if chosen and all(chosen != key for _group, some in known[1:] for key, _name in some):
            # Else a browser would show, and save, the first: everybody.
            known.append((chosen, _("As it is now (no longer in use)")))
            self.fields["audience"].choices = known  # type: ignore[attr-defined]


class UploadField(forms.FileField):
    """A picture that is not in the library yet."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Or choose a file"),
            required=False,
            widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/gif"}),
            help_text=_("JPEG, PNG or GIF, at most 5 MB. It is kept for the next time."),
        )


class SavedForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("By which you and your colleagues find it."))


class TakeOverForm(forms.Form):
    """``sources``: the contents to choose from."""

    source = forms.ModelChoiceField(Content.objects.none(), label=_("Message"), empty_label=None)
    in_place = forms.BooleanField(
        label=_("In place of what stands here now, with its subject"),
        required=False,
        help_text=_("What stands here stays under Versions."),
    )

    def __init__(self, *args: Any, sources: QuerySet[Content], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["source"].queryset = sources  # type: ignore[attr-defined]
