"""What forms of blocks ask for, cleaned to what a block keeps; cleaning that again changes nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.money import format_cents, parse_cents
from mailings import richtext
from mailings.models import Picture


class WebAddress(forms.URLField):
    """An address on the web; without a scheme it is taken as https."""

    def __init__(self, **options: Any) -> None:
        super().__init__(assume_scheme="https", max_length=1000, **options)


class RichText(forms.CharField):
    """Formatted text out of an editor, cleaned on the way in."""

    is_rich = True

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 8}), max_length=20_000, **options)

    def clean(self, value: Any) -> str:
        """Return cleaned HTML; text in which nothing is to be seen is empty."""
        text = richtext.clean(super().clean(value) or "")
        if richtext.is_empty(text):
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return ""
        return text


class PictureField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A picture out of the library; when it may be left out, ``None`` is kept."""

    is_picture = True

    def __init__(self, **options: Any) -> None:
        given = {"label": _("Picture"), "empty_label": None, **options}
        super().__init__(Picture.objects.all(), **given)


class PriceField(forms.Field):
    """An amount: people type euros, a block keeps whole cents; empty is None, nothing is 0."""

    def __init__(self, **options: Any) -> None:
        help_text = _("In euros, for example 12,50. 0 shows “free”.")
        super().__init__(**{"label": _("Price"), "help_text": help_text, "required": False, **options})

    def clean(self, value: Any) -> int | None:
        """Return cents; a whole number (out of a block) is cents already."""
        if isinstance(value, int) and 0 <= value < 100_000_00:
            return value
        text = str(super().clean(value) or "").strip()
        if not text:
            return None
        try:
            cents = parse_cents(text)
        except ValueError:
            cents = -1
        if not 0 <= cents < 100_000_00:
            raise forms.ValidationError(_("Write an amount like 12,50."), code="invalid")
        return cents

    def prepare_value(self, value: Any) -> Any:
        """Return cents as people type them."""
        return format_cents(value).removeprefix("€\u00a0") if isinstance(value, int) else value


class DayInput(forms.DateInput):
    """The date field of the browser."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class HourInput(forms.TimeInput):
    """The time field of the browser."""

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"type": "time"})


def price_words(cents: int | None) -> str:
    """Return a price as readers see it; empty when there is none."""
    if cents is None:
        return ""
    return format_cents(cents) if cents else str(_("Free"))
