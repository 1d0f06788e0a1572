"""The button to a reader's own page, as a content block; for a shared mailbox it lists the others who use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import Block, Medium, Values, blocks, plain, prose, slot
from common.sql import rows
from mailings.links import preferences_url

MOST_AT_ONE_ADDRESS = 20
URL, OTHERS, OTHERS_HTML = "mijnmenu:0:url", "mijnmenu:0:others", "mijnmenu:0:others!"

_PEOPLE = """
    SELECT mine.customer_id, other.id AS other_id, other.link_version,
        concat_ws(' ', coalesce(nullif(other.first_name, ''), nullif(other.initials, '')),
            nullif(other.name_prefix, ''), nullif(other.last_name, '')) AS name, other.number
    FROM customers_contactpoint AS mine
    JOIN customers_contactpoint AS shared
        ON shared.channel = 'email' AND shared.is_primary AND shared.value = mine.value
    JOIN customers_customer AS other ON other.id = shared.customer_id AND other.merged_into_id IS NULL
    WHERE mine.channel = 'email' AND mine.is_primary AND mine.customer_id = ANY(%(customers)s)
    ORDER BY mine.customer_id, other.id
"""


class MijnMenuForm(forms.Form):
    """The words on the button."""

    text = forms.CharField(label=gettext_lazy("Text on the button"), max_length=60)


class MijnMenuBlock(Block):
    """Slots: the reader's own link, and the links of others who share the mailbox (text, HTML)."""

    code = "mijnmenu"
    label = gettext_lazy("Button to MijnMenu")
    icon = "circle-user"
    form = MijnMenuForm

    def mjml(self, data: Mapping[str, Any]) -> str:
        return (
            f'<mj-button href="{slot(URL)}">{prose(data["text"])}</mj-button><mj-text>{slot(OTHERS_HTML, "")}</mj-text>'
        )

    def text(self, data: Mapping[str, Any]) -> str:
        return f"{plain(data['text'])}:\n{slot(URL)}\n{slot(OTHERS, '')}"

    def letter(self, data: Mapping[str, Any]) -> str:
        address = settings.BASE_URL + reverse("mijnmenu:link")
        words = _("Look at your own page: ask for your link at %(address)s.") % {"address": address}
        return f"<p>{escape(words)}</p>"

    def summary(self, data: Mapping[str, Any]) -> str:
        return str(data["text"])

    def slots(self, data: Mapping[str, Any]) -> Sequence[str]:
        return [URL, OTHERS, OTHERS_HTML]

    def values(
        self, data: Mapping[str, Any], *, customer_ids: Sequence[int], origin: str, medium: Medium
    ) -> Mapping[int, Values]:
        if medium == "post":
            return {}
        people: dict[int, list[dict[str, Any]]] = {}
        for row in rows(_PEOPLE, {"customers": list(customer_ids)}):
            people.setdefault(row["customer_id"], []).append(row)
        return {customer_id: _links(customer_id, found) for customer_id, found in people.items()}

    def samples(self, data: Mapping[str, Any], *, medium: Medium) -> Values:
        return {URL: settings.BASE_URL + reverse("mijnmenu:link"), OTHERS: "", OTHERS_HTML: ""}


def _links(customer_id: int, people: list[dict[str, Any]]) -> dict[str, str]:
    """Return the slots of one reader; ``people`` are all who use the mailbox, the reader among them."""
    mine = next(person for person in people if person["other_id"] == customer_id)
    values = {URL: preferences_url(customer_id, mine["link_version"]), OTHERS: "", OTHERS_HTML: ""}
    others = [person for person in people if person["other_id"] != customer_id][:MOST_AT_ONE_ADDRESS]
    if others:
        whose = _("The link above is for %(name)s. This mailbox is also used by:") % {"name": _who(mine)}
        links = [(_who(one), preferences_url(one["other_id"], one["link_version"])) for one in others]
        values[OTHERS] = "\n".join(["", whose, *(f"- {name}: {url}" for name, url in links)])
        items = "".join(f'<li><a href="{escape(url)}">{escape(name)}</a></li>' for name, url in links)
        values[OTHERS_HTML] = f"{escape(whose)}<ul>{items}</ul>"
    return values


def _who(person: Mapping[str, Any]) -> str:
    return str(person["name"] or person["number"])


blocks.register(MijnMenuBlock())
