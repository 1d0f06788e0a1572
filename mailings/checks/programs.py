"""What some mail programs do not show: a small table, after caniemail.com. The frame of our mails is known to be fine;
this looks at what blocks put into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mailings.checks.base import Check, Finding, Proof, Severity

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Unshown(NamedTuple):
    """A thing in HTML or CSS, and the programs that do not show it."""

    code: str
    pattern: re.Pattern[str]
    name: str | _StrPromise
    programs: str


def _of(code: str, pattern: str, name: str | _StrPromise, programs: str) -> Unshown:
    return Unshown(code, re.compile(pattern, re.IGNORECASE), name, programs)


UNSHOWN = (
    _of("video", r"<video\b", gettext_lazy("a video"), "Gmail, Outlook"),
    _of("audio", r"<audio\b", gettext_lazy("sound"), "Gmail, Outlook"),
    _of("form", r"<(form|input|select|textarea)\b", gettext_lazy("a form"), "Gmail, Outlook, Yahoo"),
    _of("frame", r"<(iframe|object|embed)\b", gettext_lazy("a page in the page"), "Gmail, Outlook, Apple Mail"),
    _of("script", r"<script\b|\son\w+=", gettext_lazy("a script"), "Gmail, Outlook, Apple Mail"),
    _of("svg", r"<svg\b|\.svg[\"?]", gettext_lazy("a drawing (SVG)"), "Gmail, Outlook"),
    _of("webp", r"\.(webp|avif)[\"?]", gettext_lazy("a picture as WebP or AVIF"), "Outlook"),
    _of("data", r"src=\"data:", gettext_lazy("a picture inside the mail (data:)"), "Gmail, Outlook"),
    _of("position", r"position:\s*(absolute|fixed|sticky)", "position", "Gmail, Outlook, Yahoo"),
    _of("flex", r"display:\s*(inline-)?(flex|grid)", "flex, grid", "Outlook, Gmail"),
    _of("ground", r"background(-image)?:[^;\"]*url\(", gettext_lazy("a picture as background"), "Outlook"),
    _of("animation", r"@keyframes|\banimation:", gettext_lazy("movement"), "Gmail, Outlook"),
    _of("font", r"@import|@font-face", gettext_lazy("a font from the web"), "Gmail, Outlook"),
    _of("variable", r"var\(--", gettext_lazy("variables in colours"), "Gmail, Outlook"),
)  # fmt: skip


def unshown_in(html: str) -> list[Unshown]:
    """Return what in a part of a mail some programs do not show."""
    return [one for one in UNSHOWN if one.pattern.search(html)]


def find(proof: Proof) -> Iterator[Finding]:
    """Yield a warning for each thing in a block that some mail programs leave out."""
    for place, html in proof.html if proof.is_mail else []:
        for one in unshown_in(html) if place else []:
            words = _("This block holds %(thing)s, which is not shown in: %(programs)s.")
            remedy = _("Make sure that it can be understood without.")
            values = {"thing": one.name, "programs": one.programs}
            yield Finding(f"programs.{one.code}", Severity.WARNING, words % values, remedy, place=place)


CHECK = Check("programs", gettext_lazy("Shown by all mail programs"), find)
