"""Cards: an event with its day, place and price; a row of products."""

from __future__ import annotations

import datetime as dt
import html
from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.formats import date_format
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.blocks import Block, blocks, plain, prose
from mailings import richtext
from mailings.blocks.fields import DayInput, HourInput, PictureField, PriceField, RichText, WebAddress, price_words
from mailings.blocks.pictures import letter_picture, mail_picture
from mailings.blocks.simple import underlined

Data = Mapping[str, Any]
MOST_PRODUCTS = 3
_ALT_HELP = gettext_lazy("Read aloud, and shown where pictures are switched off.")


class _Described(forms.Form):
    """A form in which each chosen picture needs its description: ``picture_2`` needs ``alt_2``."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            alt = name.replace("picture", "alt")
            if isinstance(field, PictureField) and cleaned.get(name) and not cleaned.get(alt, "-"):
                self.add_error(alt, _("Describe the picture, for who does not see it."))
        return cleaned


class EventForm(_Described):
    title = forms.CharField(label=gettext_lazy("Title"), max_length=150)
    day = forms.DateField(label=gettext_lazy("Day"), widget=DayInput)
    starts_at = forms.TimeField(label=gettext_lazy("Starts at"), required=False, widget=HourInput)
    place = forms.CharField(label=gettext_lazy("Where"), max_length=120, required=False)
    price_cents = PriceField()
    text = RichText(label=gettext_lazy("Text"), required=False)
    picture = PictureField(required=False)
    alt = forms.CharField(
        label=gettext_lazy("Description of the picture"), max_length=200, required=False, help_text=_ALT_HELP
    )
    link = WebAddress(label=gettext_lazy("Link"), required=False)
    link_text = forms.CharField(
        label=gettext_lazy("Link text"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Empty: “Tickets and information”."),
    )


class Event(Block):
    """An activity or performance, with its facts where people look for them."""

    code, label, icon, form = "event", gettext_lazy("Event"), "calendar-days", EventForm
    is_simple = True

    def mjml(self, data: Data) -> str:
        """Return the card in one column, the picture on top."""
        return self._picture(data) + self._words(data)

    def section(self, data: Data) -> str:
        """Return the card over the width of the mail, the picture beside the words."""
        if not data.get("picture"):
            return super().section(data)
        return (
            f'<mj-section><mj-column width="40%">{self._picture(data)}</mj-column>'
            f'<mj-column width="60%">{self._words(data)}</mj-column></mj-section>'
        )

    def _picture(self, data: Data) -> str:
        if not data.get("picture"):
            return ""
        return mail_picture(data["picture"], alt=data["alt"], link=data.get("link", ""))

    def _words(self, data: Data) -> str:
        title = f'<h2 style="margin:0;font-size:inherit">{prose(data["title"])}</h2>'
        facts = f"<br>{words}" if (words := _where(data, prose)) else ""
        parts = [
            f'<mj-text mj-class="subtitle">{title}</mj-text>',
            f"<mj-text><strong>{html.escape(_when(data))}</strong>{facts}</mj-text>",
        ]
        if data.get("text"):
            parts.append(f"<mj-text>{richtext.to_html(data['text'])}</mj-text>")
        if data.get("link"):
            parts.append(f'<mj-button href="{html.escape(data["link"])}">{prose(_link_text(data))}</mj-button>')
        return "".join(parts)

    def text(self, data: Data) -> str:
        """Return title, facts, text and address."""
        facts = "\n".join(line for line in (_when(data), _where(data, plain)) if line)
        parts = [underlined(plain(data["title"]), "-"), facts]
        if data.get("text"):
            parts.append(richtext.to_text(data["text"]))
        if data.get("link"):
            parts.append(f"{plain(_link_text(data))}:\n{data['link']}")
        return "\n\n".join(parts)

    def letter(self, data: Data) -> str:
        """Return the card, the picture beside the words."""
        picture = letter_picture(data["picture"], alt=data["alt"], width=50) if data.get("picture") else ""
        lines = [f"<strong>{html.escape(_when(data))}</strong>", _where(data, prose)]
        words = (
            f"<h3>{prose(data['title'])}</h3><p>{'<br>'.join(line for line in lines if line)}</p>"
            + (richtext.to_letter(data["text"]) if data.get("text") else "")
            + (f'<p class="address">{html.escape(data["link"])}</p>' if data.get("link") else "")
        )
        side = f'<div class="card-picture">{picture}</div>' if picture else ""
        return f'<section class="card">{side}<div class="card-words">{words}</div></section>'

    def summary(self, data: Data) -> str:
        """Return title and moment."""
        return f"{data['title']} – {_when(data)}"


def _when(data: Data) -> str:
    day = date_format(dt.date.fromisoformat(data["day"]), "l j F Y")
    if not data.get("starts_at"):
        return day
    return _("%(day)s, %(time)s") % {"day": day, "time": data["starts_at"]}


def _where(data: Data, write: Callable[[str], str]) -> str:
    """Return place and price, written as HTML (``prose``) or as plain text."""
    return write(" · ".join(words for words in (data.get("place"), price_words(data.get("price_cents"))) if words))


def _link_text(data: Data) -> str:
    return data.get("link_text") or _("Tickets and information")


def _product_fields(number: int) -> dict[str, forms.Field]:
    def label(words: Any) -> Any:
        return format_lazy(gettext_lazy("Product {number}: {what}"), number=number, what=words)

    is_needed = number <= 2
    return {
        f"title_{number}": forms.CharField(label=label(gettext_lazy("title")), max_length=100, required=is_needed),
        f"price_cents_{number}": PriceField(label=label(gettext_lazy("price"))),
        f"link_{number}": WebAddress(label=label(gettext_lazy("link")), required=False),
        f"picture_{number}": PictureField(label=label(gettext_lazy("picture")), required=False),
        f"alt_{number}": forms.CharField(
            label=label(gettext_lazy("description of the picture")),
            max_length=200,
            required=False,
            help_text=_ALT_HELP,
        ),
    }


class _Products(_Described):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        last = [name for name in self.fields if name.endswith(f"_{MOST_PRODUCTS}")]
        title = f"title_{MOST_PRODUCTS}"
        if not cleaned.get(title) and any(cleaned.get(name) not in (None, "") for name in last):
            self.add_error(title, _("Give this product a title, or leave all of it empty."))
        return cleaned


ProductsForm = type(
    "ProductsForm",
    (_Products,),
    {name: field for number in range(1, MOST_PRODUCTS + 1) for name, field in _product_fields(number).items()},
)


class Products(Block):
    """Two or three products beside each other: books, tickets, subscriptions."""

    code, label, icon, form = "products", gettext_lazy("Product row"), "shopping-bag", ProductsForm

    def mjml(self, data: Data) -> str:
        """Return a column for each product."""
        return "".join(f"<mj-column>{self._card(one)}</mj-column>" for one in _products(data))

    def section(self, data: Data) -> str:
        """Return the products in one row."""
        return f"<mj-section>{self.mjml(data)}</mj-section>"

    def _card(self, one: Data) -> str:
        picture = ""
        if one.get("picture"):
            picture = mail_picture(one["picture"], alt=one["alt"], link=one.get("link", ""))
        title = prose(one["title"])
        if one.get("link"):
            title = f'<a href="{html.escape(one["link"])}">{title}</a>'
        price = f"<br>{html.escape(words)}" if (words := price_words(one.get("price_cents"))) else ""
        return f"{picture}<mj-text><strong>{title}</strong>{price}</mj-text>"

    def text(self, data: Data) -> str:
        """Return a few lines for each product."""
        cards = ([plain(one["title"]), price_words(one.get("price_cents")), one.get("link")] for one in _products(data))
        return "\n\n".join("\n".join(line for line in lines if line) for lines in cards)

    def letter(self, data: Data) -> str:
        """Return the products beside each other."""
        return f'<div class="columns">{"".join(f"<div>{self._paper(one)}</div>" for one in _products(data))}</div>'

    def _paper(self, one: Data) -> str:
        picture = letter_picture(one["picture"], alt=one["alt"], width=50) if one.get("picture") else ""
        lines = [f"<strong>{prose(one['title'])}</strong>", html.escape(price_words(one.get("price_cents")))]
        if one.get("link"):
            lines.append(f'<span class="address">{html.escape(one["link"])}</span>')
        return f"{picture}<p>{'<br>'.join(line for line in lines if line)}</p>"

    def summary(self, data: Data) -> str:
        """Return the titles."""
        return ", ".join(str(one["title"]) for one in _products(data))


def _products(data: Data) -> list[dict[str, Any]]:
    """Return the products that have a title, with their fields without number."""
    names = ("title", "price_cents", "link", "picture", "alt")
    all_of_them = ({name: data.get(f"{name}_{number}") for name in names} for number in range(1, MOST_PRODUCTS + 1))
    return [one for one in all_of_them if one["title"]]


for _block in (Event(), Products()):
    blocks.register(_block)
