"""Links to the social media of the house style."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.blocks import Block, blocks, plain, prose
from mailings.styles import Style, load_styles

Data = Mapping[str, Any]


class SocialForm(forms.Form):
    title = forms.CharField(label=_("Text before the links"), max_length=100, required=False)


class Social(Block):
    """The links are those of the style that the mail is written in, ``data["links"]`` once it is dressed."""

    code, label, icon, form = "social", _("Social media"), "share-2", SocialForm
    is_simple = True

    def dress(self, data: Data, style: Style) -> Data:
        """Return the data with the links of a style: a list of (name, address)."""
        return {**data, "links": style.social}

    def mjml(self, data: Data) -> str:
        """Return the links beside each other, in words: pictures of brands are often switched off."""
        links = " &#183; ".join(f'<a href="{html.escape(url)}">{name}</a>' for name, url in data["links"])
        title = f"{prose(data['title'])}<br>" if data.get("title") else ""
        return f'<mj-text mj-class="link">{title}{links}</mj-text>' if links else ""

    def text(self, data: Data) -> str:
        """Return a line for each link."""
        lines = [f"{name}: {url}" for name, url in data["links"]]
        return "\n".join([plain(data["title"]), *lines] if lines and data.get("title") else lines)

    def letter(self, data: Data) -> str:
        """Return the addresses in full."""
        lines = [f'{name}: <span class="address">{html.escape(url)}</span>' for name, url in data["links"]]
        title = [f"<strong>{prose(data['title'])}</strong>"] if data.get("title") else []
        return f"<p>{'<br>'.join([*title, *lines])}</p>" if lines else ""

    def summary(self, data: Data) -> str:
        """Return the networks of the organisation's style."""
        names = ", ".join(name for name, _url in load_styles()[None].social)
        return names or gettext("Nothing shows yet: the house style has no social media.")


blocks.register(Social())
