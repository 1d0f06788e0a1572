"""The form of a house style: shape only, the rules are in mailings.actions."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from mailings.blocks.fields import PictureField, WebAddress
from mailings.models import HouseStyle
from mailings.styles import ACCENT, NETWORKS
from workbench.forms.content import UploadField


class StyleForm(forms.Form):
    """The organisation's style; ``social_<network>`` are gathered by ``chosen``."""

    picture = PictureField(label=_("Logo"), required=False)
    upload = UploadField()
    accent = forms.CharField(
        label=_("Accent colour"),
        max_length=7,
        initial=ACCENT,
        widget=forms.TextInput(attrs={"type": "color"}),
        help_text=_("For the bar, buttons and links of a mail."),
    )
    font = forms.ChoiceField(label=_("Font"), choices=HouseStyle.Font, initial=HouseStyle.Font.ARIAL)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for code, name in NETWORKS.items():
            self.fields[f"social_{code}"] = WebAddress(label=name, required=False)

    def chosen(self) -> dict[str, Any]:
        """Return the fields of the style."""
        cleaned = dict(self.cleaned_data)
        cleaned.pop("upload")
        social = {code: cleaned.pop(f"social_{code}") for code in NETWORKS}
        return {"logo": cleaned.pop("picture"), "social": social, **cleaned}


class BranchStyleForm(StyleForm):
    """The style of a branch: what stays empty is as the organisation's."""

    accent = forms.CharField(
        label=_("Accent colour"),
        max_length=7,
        required=False,
        help_text=_("# and six digits, for example #0b5563. Empty: as the organisation."),
    )
    font = forms.ChoiceField(
        label=_("Font"), choices=[("", _("As the organisation")), *HouseStyle.Font.choices], required=False
    )
    sender_name = forms.CharField(label=_("Sender name"), max_length=80, required=False)
    sender_email = forms.EmailField(
        label=_("Sender address"),
        required=False,
        help_text=_("Must belong to a domain for which your mail server may send."),
    )
