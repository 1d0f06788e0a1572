"""Whether every word can be read on what lies under it, measured in the mail itself, also as dark mode shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import SENDING, Check, Finding, Proof, Severity, in_style, parts_of
from mailings.compiling import INK, PAPER, contrast
from mailings.darkness import darkened

LEAST, LEAST_LARGE = 4.5, 3.0  # WCAG 1.4.3
LARGE_PIXELS, LARGE_BOLD_PIXELS = 24.0, 18.66
_COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)
_SIZE = re.compile(r"([\d.]+)px")
_LINK_COLOUR = re.compile(r"(?:^|[}\s;>])a\s*\{[^}]*?color:\s*(#[0-9a-f]{3,6})", re.IGNORECASE)
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_UNSEEN = frozenset({"head", "script", "style", "title"})


@dataclass(frozen=True)
class _Look:
    """How text looks inside an element."""

    tag: str
    colour: str
    ground: str
    pixels: float
    is_bold: bool
    is_seen: bool


class _Reader(HTMLParser):
    """Walks over a mail and keeps the lowest contrast per place, beside what it should be."""

    def __init__(self, link_colour: str, *, is_dark: bool) -> None:
        super().__init__(convert_charrefs=False)
        self.link_colour = link_colour
        self.place = ""
        ink, paper = (PAPER, INK) if is_dark else (INK, PAPER)
        self.open = [_Look("", ink, paper, 16.0, is_bold=False, is_seen=True)]
        self.lowest: dict[str, tuple[float, str, str]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        self.open.append(_look(tag, dict(attrs), self.open[-1], self.link_colour))

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        look = self.open[-1]
        if not look.is_seen or not data.strip():
            return
        is_large = look.pixels >= LARGE_PIXELS or (look.is_bold and look.pixels >= LARGE_BOLD_PIXELS)
        found = contrast(look.colour, look.ground)
        if found < (LEAST_LARGE if is_large else LEAST) and found < self.lowest.get(self.place, (99.0,))[0]:
            self.lowest[self.place] = (found, look.colour, look.ground)


def _look(tag: str, attrs: dict[str, str | None], outer: _Look, link_colour: str) -> _Look:
    style = _declarations(attrs.get("style") or "")
    ground = _colour(style.get("background-color") or style.get("background") or attrs.get("bgcolor") or "")
    colour = _colour(style.get("color") or "")
    if not colour and tag == "a" and style.get("color") != "inherit":
        colour = link_colour
    size, weight = _SIZE.search(style.get("font-size", "")), style.get("font-weight", "")
    is_hidden = style.get("display") == "none"
    return _Look(
        tag,
        colour or outer.colour,
        ground or outer.ground,
        float(size[1]) if size else outer.pixels,
        is_bold=weight in {"bold", "600", "700", "800", "900"} if weight else outer.is_bold,
        is_seen=outer.is_seen and tag not in _UNSEEN and not is_hidden,
    )


def _declarations(style: str) -> dict[str, str]:
    pairs = (one.partition(":") for one in style.split(";"))
    return {name.strip().lower(): value.strip().lower() for name, _colon, value in pairs}


def _colour(value: str) -> str:
    found = _COLOUR.search({"white": "#ffffff", "black": "#000000"}.get(value, value))
    if not found:
        return ""
    digits = found[0][1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(sign * 2 for sign in digits))


def lowest_contrasts(parts: Iterable[tuple[str, str]], *, is_dark: bool = False) -> dict[str, tuple[float, str, str]]:
    """Return place -> (contrast, colour, ground) of what is hardest to read there, where that is too hard.

    ``is_dark``: what has no colour of its own is light on dark.
    """
    parts = list(parts)
    link = _LINK_COLOUR.search(parts[0][1]) if parts else None
    reader = _Reader(_colour(link[1]) if link else INK, is_dark=is_dark)
    for place, html in parts:
        reader.place = place
        reader.feed(html)
    return reader.lowest


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning for what can hardly be read, and a hint for what only dark mode spoils."""
    if not proof.is_mail:
        return
    yield from _accents(proof)
    told: set[tuple[str, bool]] = set()
    for branch, preview in proof.looks:
        parts = parts_of(preview, "html")
        light = lowest_contrasts(parts)
        dark = lowest_contrasts([(place, darkened(html)) for place, html in parts], is_dark=True)
        for is_dark, all_found in ((False, light), (True, dark)):
            for place, found in all_found.items():
                if not told & {(place, False), (place, is_dark)}:
                    yield _finding(place, found, branch, is_dark=is_dark)
                    told.add((place, is_dark))


def _accents(proof: Proof) -> Iterator[Finding]:
    """Yield a hint for each house style with an accent that is too light to read links in, so that they are dark."""
    for branch, style in proof.styles:
        if contrast(style.accent, PAPER) < LEAST:
            words = _("The accent colour of %(whose)s is too light for words: links and small words are dark instead.")
            whose = branch or _("the house style")
            remedy = _("Choose a darker one, if you want to see it there.")
            yield Finding("contrast.accent", Severity.HINT, words % {"whose": whose}, remedy, place=SENDING)


def _finding(place: str, found: tuple[float, str, str], branch: str, *, is_dark: bool) -> Finding:
    ratio, colour, ground = found
    values = {"ratio": f"{ratio:.1f}".replace(".", ","), "colour": colour, "ground": ground}
    remedy = _("Choose other colours in the house style.")
    if is_dark:
        words = _("In dark mode text is hard to read here: contrast %(ratio)s, while 4,5 is needed.")
        return Finding("contrast.dark", Severity.HINT, in_style(words % values, branch), remedy, place=place)
    words = _("Text is hard to read here: %(colour)s on %(ground)s has contrast %(ratio)s, while 4,5 is needed.")
    return Finding("contrast.low", Severity.WARNING, in_style(words % values, branch), remedy, place=place)


CHECK = Check("contrast", gettext_lazy("Contrast, also in dark mode"), find)
