"""Blocks of one piece: a heading, text, an article, a button, a picture, a quote, a line."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from common.blocks import SLOT, Block, blocks, plain, prose
from mailings import richtext
from mailings.blocks.fields import PictureField, RichText, WebAddress
from mailings.blocks.pictures import letter_picture, mail_picture

Data = Mapping[str, Any]


class HeadingForm(forms.Form):
    text = forms.CharField(label=_("Text"), max_length=200)


class TextForm(forms.Form):
    text = RichText(label=_("Text"))


class ImageForm(forms.Form):
    picture = PictureField()
    alt = forms.CharField(
        label=_("Description"), max_length=200, help_text=_("Read aloud, and shown where pictures are switched off.")
    )
    link = WebAddress(label=_("Link"), required=False)


class ButtonForm(forms.Form):
    text = forms.CharField(label=_("Text on the button"), max_length=60)
    url = WebAddress(label=_("Link"))


class ArticleForm(forms.Form):
    title = forms.CharField(label=_("Title"), max_length=150)
    text = RichText(label=_("Text"))
    link = WebAddress(label=_("Link"), required=False)
    link_text = forms.CharField(label=_("Link text"), max_length=60, required=False)


class QuoteForm(forms.Form):
    text = forms.CharField(label=_("Quote"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    source = forms.CharField(label=_("By whom"), max_length=100, required=False)


class DividerForm(forms.Form):
    pass


class Heading(Block):
    """A heading over what follows."""

    code, label, icon, form = "heading", _("Heading"), "heading", HeadingForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return an h2: the mail's h1 is its subject, in the header."""
        return f'<mj-text mj-class="title"><h2 style="margin:0;font-size:inherit">{prose(data["text"])}</h2></mj-text>'

    def text(self, data: Data) -> str:
        """Return the heading underlined."""
        return underlined(plain(data["text"]), "=")

    def letter(self, data: Data) -> str:
        """Return an h2."""
        return f"<h2>{prose(data['text'])}</h2>"

    def summary(self, data: Data) -> str:
        """Return the heading."""
        return str(data["text"])


class Text(Block):
    """Formatted text."""

    code, label, icon, form = "text", _("Text"), "text-align-start", TextForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return the text; its paragraphs carry their own margins."""
        return f"<mj-text>{richtext.to_html(data['text'])}</mj-text>"

    def text(self, data: Data) -> str:
        """Return the text with addresses behind links."""
        return richtext.to_text(data["text"])

    def letter(self, data: Data) -> str:
        """Return the text with addresses behind links."""
        return richtext.to_letter(data["text"])

    def summary(self, data: Data) -> str:
        """Return the first words."""
        return richtext.first_words(data["text"])


class Image(Block):
    """A picture from the library, with a description."""

    code, label, icon, form = "image", _("Picture"), "image", ImageForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return the picture at its own size, at most the width of the mail."""
        return mail_picture(data["picture"], alt=data["alt"], link=data.get("link", ""))

    def text(self, data: Data) -> str:
        """Return the description, and the address it leads to."""
        return f"[{plain(data['alt'])}]" + (f"\n{data['link']}" if data.get("link") else "")

    def letter(self, data: Data) -> str:
        """Return the picture."""
        return letter_picture(data["picture"], alt=data["alt"])

    def summary(self, data: Data) -> str:
        """Return the description."""
        return str(data["alt"])


class Button(Block):
    """A link that looks like a button."""

    code, label, icon, form = "button", _("Button"), "mouse-pointer-click", ButtonForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return a button in the accent colour."""
        return f'<mj-button href="{html.escape(data["url"])}">{prose(data["text"])}</mj-button>'

    def text(self, data: Data) -> str:
        """Return its text and address."""
        return f"{plain(data['text'])}:\n{data['url']}"

    def letter(self, data: Data) -> str:
        """Return its text and address in full."""
        return (
            f'<p><strong>{prose(data["text"])}</strong><br><span class="address">{html.escape(data["url"])}</span></p>'
        )

    def summary(self, data: Data) -> str:
        """Return its text and address."""
        return f"{data['text']} – {data['url']}"


class Article(Block):
    """A short piece with a title, and a link to read on."""

    code, label, icon, form = "article", _("Article"), "newspaper", ArticleForm
    is_simple = True

    def _link_text(self, data: Data) -> str:
        return data.get("link_text") or str(_("Read more: %(title)s")) % {"title": data["title"]}

    def mjml(self, data: Data) -> str:
        """Return title, text and link below each other."""
        link = ""
        if data.get("link"):
            words = prose(self._link_text(data))
            link = f'<mj-text mj-class="link"><a href="{html.escape(data["link"])}">{words}</a></mj-text>'
        title = f'<h2 style="margin:0;font-size:inherit">{prose(data["title"])}</h2>'
        return (
            f'<mj-text mj-class="subtitle">{title}</mj-text><mj-text>{richtext.to_html(data["text"])}</mj-text>{link}'
        )

    def text(self, data: Data) -> str:
        """Return title, text and address."""
        parts = [underlined(plain(data["title"]), "-"), richtext.to_text(data["text"])]
        if data.get("link"):
            parts.append(f"{plain(self._link_text(data))}\n{data['link']}")
        return "\n\n".join(parts)

    def letter(self, data: Data) -> str:
        """Return title, text and address in full."""
        link = f'<p class="address">{html.escape(data["link"])}</p>' if data.get("link") else ""
        return f"<h3>{prose(data['title'])}</h3>{richtext.to_letter(data['text'])}{link}"

    def summary(self, data: Data) -> str:
        """Return the title."""
        return str(data["title"])


class Quote(Block):
    """Somebody's words."""

    code, label, icon, form = "quote", _("Quote"), "quote", QuoteForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return a blockquote with its source."""
        source = (
            f'<p style="margin:8px 0 0;font-style:normal">– {prose(data["source"])}</p>' if data.get("source") else ""
        )
        words = f'<blockquote style="margin:0">{prose(data["text"])}{source}</blockquote>'
        return f'<mj-text mj-class="quote">{words}</mj-text>'

    def text(self, data: Data) -> str:
        """Return the words between quotation marks."""
        source = f"\n– {plain(data['source'])}" if data.get("source") else ""
        return f"“{plain(data['text'])}”{source}"

    def letter(self, data: Data) -> str:
        """Return a blockquote."""
        source = f"<br>– {prose(data['source'])}" if data.get("source") else ""
        return f"<blockquote>{prose(data['text'])}{source}</blockquote>"

    def summary(self, data: Data) -> str:
        """Return the words."""
        return str(data["text"])[:80]


class Divider(Block):
    """A line across."""

    code, label, icon, form = "divider", _("Divider"), "minus", DividerForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return a thin line."""
        return "<mj-divider />"

    def text(self, data: Data) -> str:
        """Return a line of dashes."""
        return "-" * 40

    def letter(self, data: Data) -> str:
        """Return a rule."""
        return "<hr>"

    def summary(self, data: Data) -> str:
        """Return nothing: its name says all."""
        return ""


def underlined(line: str, sign: str) -> str:
    """Return a line of plain text with a line of signs below it, never longer than the words: how long a field of the
    reader gets, nobody knows yet.
    """
    return f"{line}\n{sign * max(3, min(len(SLOT.sub('', line).strip()), 60))}"


for _block in (Heading(), Text(), Article(), Button(), Image(), Quote(), Divider()):
    blocks.register(_block)
