"""What sets the customers of a selection apart from everybody: the labels that they have more often, or less."""

from __future__ import annotations

from typing import Any

from django.urls import path

from common.errors import Refused
from labels.profile import profile_of
from selections.rules import parse_rule
from workbench.views.selection_base import LIST_SECONDS, SelectionPage, sentence_of


class SelectionProfile(SelectionPage):
    permission = "manage_selections"
    template_name = "workbench/selections_profile.html"
    part = "profile"

    def get_title(self) -> str:
        return self.object.name

    def get_context(self, **extra: Any) -> dict[str, Any]:
        told: dict[str, Any] = dict(sentence_of(self.object))
        if "unreadable" not in told:
            try:
                told["profile"] = profile_of(parse_rule(self.object.rule), now=self.now, seconds=LIST_SECONDS)
            except Refused as refused:
                told["problem"] = str(refused)
        return super().get_context(**told, **extra)


urlpatterns = [path("selections/<int:pk>/profile/", SelectionProfile.as_view(), name="selection_profile")]
