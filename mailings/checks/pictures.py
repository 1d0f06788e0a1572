"""Pictures: how heavy they are, whether they are sharp, and what who does not see them gets to hear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import Check, Finding, Proof, Severity
from mailings.models import Picture

MOST_KILOBYTES, MOST_KILOBYTES_IN_ALL = 300, 1000
MOST_DESCRIPTION = 125  # characters; programs that read aloud break off there
LEAST_TEXT = 200  # characters beside pictures, or a filter takes the mail for a disguise
_KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_FILE_NAME = re.compile(r"\.(jpe?g|png|gif|webp)$|^(img|dsc|image|foto|screenshot)[ _-]?\d+", re.IGNORECASE)
_SAYS_PICTURE = re.compile(r"^(een )?(foto|afbeelding|plaatje|picture|image|photo)( van| of)?\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Shown:
    place: str
    key: str
    alt: str | None
    width: int


class _Pictures(HTMLParser):
    """Collects the pictures in a part of a mail."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place
        self.found: list[_Shown] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        key = _KEY.search(given.get("src") or "") if tag == "img" else None
        if key:
            width = re.match(r"\d+", given.get("width") or "")
            self.found.append(_Shown(self.place, key[0], given.get("alt"), int(width[0]) if width else 0))


def _shown(proof: Proof) -> Iterator[_Shown]:
    for place, part in proof.html:
        reader = _Pictures(place)
        reader.feed(part)
        yield from reader.found


def find(proof: Proof) -> Iterator[Finding]:
    """Yield what is wrong with the pictures of our library that the mail shows."""
    shown = list(_shown(proof))
    known = {str(one.key): one for one in Picture.objects.filter(key__in={one.key for one in shown})}
    weights = {key: _kilobytes(one) for key, one in known.items()}
    for one in shown:
        yield from _description(one)
        if one.key in known:
            yield from _file(one, known[one.key], weights[one.key])
    total = sum(weight or 0 for weight in weights.values())
    if total > MOST_KILOBYTES_IN_ALL:
        words = _("The pictures are %(total)d KB together; on a phone that takes long.") % {"total": total}
        yield Finding("pictures.heavy_together", Severity.WARNING, words, _("Use fewer or smaller pictures."))
    if shown and proof.is_mail and sum(len(text) for _place, text in proof.texts) < LEAST_TEXT:
        words = _("The mail is mostly pictures: who has them switched off sees little, and spam filters mind.")
        yield Finding("pictures.mostly", Severity.WARNING, words, _("Say in words what the pictures say."))


def _kilobytes(picture: Picture) -> int | None:
    """Return the size of the file; None when it is not there."""
    try:
        return int(picture.file.size) // 1000
    except OSError:
        return None


def _description(one: _Shown) -> Iterator[Finding]:
    alt = (one.alt or "").strip()
    if one.alt is None:
        words = _("A picture has no description for who does not see it.")
        yield Finding("pictures.alt_missing", Severity.WARNING, words, _("Describe it."), place=one.place)
    elif _FILE_NAME.search(alt):
        words = _("The description “%(alt)s” is the name of a file.") % {"alt": alt}
        yield Finding("pictures.alt_file", Severity.WARNING, words, _("Say what there is to see."), place=one.place)
    elif _SAYS_PICTURE.match(alt):
        words = _("The description “%(alt)s” begins with the word picture; who hears it knows that already.")
        remedy = _("Say at once what there is to see.")
        yield Finding("pictures.alt_picture", Severity.HINT, words % {"alt": alt}, remedy, place=one.place)
    elif len(alt) > MOST_DESCRIPTION:
        words = _("A description of %(length)d characters is long to listen to.") % {"length": len(alt)}
        yield Finding("pictures.alt_long", Severity.HINT, words, _("Say the rest in the text."), place=one.place)


def _file(one: _Shown, picture: Picture, kilobytes: int | None) -> Iterator[Finding]:
    if kilobytes is None:
        words = _("The file of a picture is not there any more.")
        yield Finding("pictures.gone", Severity.ERROR, words, _("Upload it again."), place=one.place)
    elif kilobytes > MOST_KILOBYTES:
        words = _("This picture is %(size)d KB; up to %(most)d KB is fine.")
        sizes = {"size": kilobytes, "most": MOST_KILOBYTES}
        remedy = _("Save it smaller, or as JPEG.")
        yield Finding("pictures.heavy", Severity.WARNING, words % sizes, remedy, place=one.place)
    if one.width and picture.width < one.width:
        words = _("This picture is %(width)d pixels wide and is shown %(shown)d wide: it will be blurred.")
        sizes = {"width": picture.width, "shown": one.width}
        yield Finding("pictures.small", Severity.WARNING, words % sizes, _("Use a larger one."), place=one.place)


CHECK = Check("pictures", gettext_lazy("Pictures: weight, sharpness, description"), find)
