"""Which website and how many days the web statistics are about."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from website.models import Site

PERIODS = {"30": _("30 days"), "90": _("90 days"), "365": _("a year")}
USUAL_PERIOD = "30"


class StatisticsForm(forms.Form):
    site = forms.ModelChoiceField(
        label=_("Website"), required=False, queryset=Site.objects.all(), empty_label=_("all websites")
    )
    days = forms.ChoiceField(label=_("Period"), required=False, choices=list(PERIODS.items()))

    def chosen(self) -> tuple[list[int], int]:
        """Return the keys of the sites and the number of days; what cannot be read is left out."""
        cleaned: dict[str, Any] = self.cleaned_data if self.is_valid() else {}
        site = cleaned.get("site")
        sites = [site.pk] if site else list(Site.objects.values_list("pk", flat=True))
        return sites, int(cleaned.get("days") or USUAL_PERIOD)
