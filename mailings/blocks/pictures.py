"""Pictures of the library as blocks show them, in a mail and in a letter."""

from __future__ import annotations

import html

from common.blocks import plain
from mailings.links import picture_url
from mailings.models import Picture

MAIL_WIDTH = 552  # pixels between the margins of a mail
PHONE_WIDTH = 342  # the same on a phone: a picture with so many pixels fills it
PRINT_WIDTH = 160  # millimetres between the margins of a letter


def mail_picture(key: int, *, alt: str, link: str = "", width: int = MAIL_WIDTH) -> str:
    """Return the picture for a mail at its own size, at most ``width`` pixels."""
    picture = Picture.objects.get(pk=key)
    href = f' href="{html.escape(link)}"' if link else ""
    fluid = ' fluid-on-mobile="true"' if picture.width >= PHONE_WIDTH else ""
    return (
        f'<mj-image src="{html.escape(picture_url(picture.key))}" alt="{_words(alt)}"'
        f' width="{min(picture.width, width)}px" align="left"{href}{fluid} />'
    )


def letter_picture(key: int, *, alt: str, width: int = PRINT_WIDTH) -> str:
    """Return the picture for paper, at most ``width`` millimetres; the printer of letters knows ``picture:``."""
    picture = Picture.objects.get(pk=key)
    width = min(width, round(picture.width * 25.4 / 96))
    return f'<p><img src="picture:{picture.key}" alt="{_words(alt)}" style="width:{width}mm"></p>'


def _words(alt: str) -> str:
    """Return a description as it stands in an attribute: one line, for MJML writes line ends as other languages do."""
    return html.escape(" ".join(plain(alt).split()))
