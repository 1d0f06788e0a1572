"""From content to pieces: once per mailing the blocks become HTML, text and letter, cut at every slot.

What comes out is JSON, frozen in ``Mailing.compiled``:
``{"version": 2, "subject": pieces, "html": segments, "text": segments, "letter": segments, "look": {"accent", "logo"},
"sender": {"name", "address"}, "links": [url, …], "blocks": [{"type", "data", "audience"}, …],
"places": [id of the block, or "" for head and foot, for each segment of html and text],
"styles": {branch id: {what differs for its readers: "html", "text", "letter", "look", "sender"}}}``.
A mailing adds ``"of"``: the version of the content that it was made of (of a text message its mark).
A piece is a literal string or ``[slot name, fallback or null]``; a segment is ``[audience key or "", pieces]``, where
``selection:3+label:5`` is for who belongs to both. Filling them in is ``mailings.rendering``.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import mjml
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.blocks import CLOSE, CUT, OPEN, SLOT, plain, prose, slot, strip_private
from customers.models import Purpose
from mailings.content import Item, both, read_items
from mailings.links import picture_url
from mailings.models import Content, SendingSettings
from mailings.styles import Logo, Style

Piece = str | list[str | None]
Segment = list[Any]  # [audience, pieces]; a list, since it lives as JSON
Compiled = dict[str, Any]

_HREF = re.compile(r'(?<=href=")https?://[^"]+')
_ADDRESS = re.compile(f'https?://[^\\s<>")\\]{OPEN}{CLOSE}]+')
_GAP = re.compile(r"\n(?:[ \t]*\n){2,}")  # of text with empty paragraphs: one empty line is enough
_TRAILING = ".,;:!?'"
PAPER, INK = "#ffffff", "#1f2933"
MAX_LOGO_WIDTH, MAX_LOGO_HEIGHT = 280, 80  # pixels


@dataclass
class Links:
    """The links of a mailing in the order in which they were met; each address has one position."""

    urls: list[str]

    def slot_for(self, url: str) -> str:
        """Return the slot that stands where this address stood."""
        if url not in self.urls:
            self.urls.append(url)
        return slot(f"link:{self.urls.index(url)}")


_PLAIN: Mapping[int | None, Style] = {None: Style()}


def compile_content(
    content: Content,
    *,
    purpose: Purpose,
    identity: SendingSettings,
    styles: Mapping[int | None, Style] = _PLAIN,
    links: Links | None = None,
) -> Compiled:
    """Return the pieces of a content as it would be sent for this purpose by this organisation; in the house's
    language. ``styles`` holds the organisation's under None, and those of branches that have one of their own.
    ``links`` of a mailing's other versions come before those of this one.
    """
    items, links = read_items(content.blocks), links or Links([])
    with override(settings.LANGUAGE_CODE):
        parts = {
            branch_id: _in_style(content, items, links, _frame(purpose, identity, style), style)
            for branch_id, style in styles.items()
        }
        places = [part.pop("places") for part in parts.values()]  # the same in each style
        return {
            "version": 2,
            "subject": cut(plain(content.subject)),
            **parts.pop(None),
            "places": places[0],
            "links": links.urls,
            "blocks": [
                {"type": item.block.code, "data": dict(item.data), "audience": item.audience}
                for item in items
                if item.block.slots(item.data)
            ],
            "styles": {str(branch_id): part for branch_id, part in parts.items()},
        }


def _in_style(content: Content, items: list[Item], links: Links, frame: dict[str, Any], style: Style) -> dict[str, Any]:
    dressed = [replace(item, data=item.block.dress(item.data, style)) for item in items]
    places, html_parts = _html(content, dressed, frame, links)
    return {
        "html": html_parts,
        "text": _text(dressed, frame, links),
        "letter": [one for item in dressed for one in _segments(item, item.block.letter(item.data))],
        "places": places,
        "look": {"accent": frame["accent"], "logo": style.logo.key if style.logo else ""},
        "sender": {"name": style.sender_name, "address": style.sender_email},
    }


def cut(text: str) -> list[Piece]:
    """Cut text at its slots."""
    pieces: list[Piece] = []
    position = 0
    for match in SLOT.finditer(text):
        if match.start() > position:
            pieces.append(text[position : match.start()])
        pieces.append([match[1], None if match[2] is None else bytes.fromhex(match[2]).decode()])
        position = match.end()
    return [*pieces, text[position:]] if position < len(text) else pieces


def _segments(item: Item, words: str) -> list[Segment]:
    """Cut what a block says where other readers begin, as in columns with an audience for a block in them."""
    first, *rest = words.split(CUT)
    cuts = zip(rest[0::2], rest[1::2], strict=True)
    return [
        [item.audience, cut(first)],
        *([both(item.audience, mark.partition(" ")[0]), cut(part)] for mark, part in cuts),
    ]


def _frame(purpose: Purpose, identity: SendingSettings, style: Style) -> dict[str, Any]:
    is_service = purpose.rule == Purpose.Rule.SERVICE
    if is_service:
        reason = _("This message belongs to our service to you.")
    else:
        reason = _("You receive this message because you get “%(purpose)s” from %(organisation)s.") % {
            "purpose": purpose.name, "organisation": identity.organisation}  # fmt: skip
    accent = style.accent if contrast(style.accent, PAPER) >= 1.2 else INK
    return {
        "language": settings.LANGUAGE_CODE,
        "organisation": strip_private(identity.organisation),
        "postal_address": strip_private(identity.postal_address),
        "privacy_url": strip_private(identity.privacy_url),
        "reason": strip_private(reason),
        "is_service": is_service,
        "accent": accent,
        "font": style.font,
        "logo": style.logo and {"url": picture_url(style.logo.key), "width": _logo_width(style.logo)},
        "on_accent": PAPER if contrast(accent, PAPER) >= 4.5 else "#000000",
        "link_colour": accent if contrast(accent, PAPER) >= 4.5 else INK,
        "slots": {name: slot(f"{name}_url") for name in ("unsubscribe", "preferences", "privacy", "pixel")},
    }


def _logo_width(logo: Logo) -> int:
    """Return how wide a logo stands in the head: half its pixels, so that it is sharp, within what fits there."""
    widest = min(MAX_LOGO_WIDTH, MAX_LOGO_HEIGHT * logo.width // max(logo.height, 1))
    return max(1, min(logo.width, max(logo.width // 2, 120), widest))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#rrggbb`` by WCAG, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _html(content: Content, items: list[Item], frame: dict[str, Any], links: Links) -> tuple[list[str], list[Segment]]:
    """Return the places of the segments, and the segments."""
    source = render_to_string(
        "mail/mail.mjml",
        {
            **frame,
            "title": prose(content.subject),
            "preheader": prose(content.preheader),
            "sections": [(number, item.block.section(item.data)) for number, item in enumerate(items)],
            "mark": CUT,
        },
    )
    done = _HREF.sub(lambda match: links.slot_for(html.unescape(match[0])), _to_html(source))
    head, *rest = done.split(CUT)  # head, "0", block 0, "1", block 1, …, "foot", foot
    places, segments, outer, met = [""], [["", cut(head)]], ("", ""), []
    for mark, part in zip(rest[0::2], rest[1::2], strict=True):
        if mark == "foot" or mark.isdecimal():
            met.append(mark)
            outer = ("", "") if mark == "foot" else (items[int(mark)].audience, items[int(mark)].id)
        audience, _space, place = mark.partition(" ")
        places.append(place or outer[1])
        segments.append([both(outer[0], audience) if place else outer[0], cut(part)])
    if met != [*map(str, range(len(items))), "foot"]:
        raise ValueError("a block broke the frame of the mail")
    return places, segments


def _to_html(source: str) -> str:
    """Run MJML. It writes attributes the way its language prints strings, so it gets to see plain ASCII only."""
    nonce = secrets.token_hex(6)
    safe = {OPEN: f"Z{nonce}o", CLOSE: f"Z{nonce}c", CUT: f"Z{nonce}m"}
    for private, word in safe.items():
        source = source.replace(private, word)
    ascii_only = "".join(sign if sign.isascii() and sign != "\\" else f"&#{ord(sign)};" for sign in source)
    done = mjml.mjml2html(ascii_only, disable_comments=True)
    for private, word in safe.items():
        done = done.replace(word, private)
    return str(done)


def _text(items: list[Item], frame: dict[str, Any], links: Links) -> list[Segment]:
    def tracked(match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING)
        return links.slot_for(url) + match[0][len(url) :]

    def words(item: Item) -> str:
        done = _ADDRESS.sub(tracked, item.block.text(item.data))
        done = _GAP.sub("\n\n", done)
        if not done.strip(f"\n{CUT}"):
            return ""  # columns with nothing in them leave no gap
        return done if done.endswith(f"\n\n{CUT}{CUT}") else f"{done}\n\n"

    body = [one for item in items for one in _segments(item, words(item))]
    return [["", [f"{frame['organisation']}\n\n"]], *body, ["", cut(_text_foot(frame))]]


def _text_foot(frame: dict[str, Any]) -> str:
    unsubscribe = _("No more commercial mail") if frame["is_service"] else _("Unsubscribe")
    lines = [
        "-- ",
        frame["reason"],
        "",
        f"{unsubscribe}: {frame['slots']['unsubscribe']}",
        f"{_('My preferences')}: {frame['slots']['preferences']}",
        f"{_('Privacy statement')}: {frame['privacy_url']}" if frame["privacy_url"] else None,
        "",
        frame["organisation"],
        frame["postal_address"],
        "",
    ]
    return "\n".join(line for line in lines if line is not None)
