"""What a script or app sends, read strictly: pure, no query and no clock. Nothing that could tell who somebody is
gets past here: of a path only its section and world are kept, of a form only its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from website.models import HitKind

KINDS = {
    "view": HitKind.PAGE_VIEW,
    "search": HitKind.SEARCH,
    "form": HitKind.FORM_POST,
    "login": HitKind.LOGIN,
    "app": HitKind.APP_USE,
}
TIME, IDENTIFY = "time", "identify"
HOME, OTHER = "home", "overig"
LONGEST_BODY = 2048
LONGEST_STAY = 4 * 3600  # seconds; a tab that stays open longer is not looked at

LONGEST_PAGE = 120

_PAGE = re.compile(r"/[a-z0-9/_.-]*")
_RANDOM = re.compile(r"[A-Za-z0-9_-]{8,24}")
_WORD = re.compile(r"[a-z][a-z-]{1,39}")
_NAME = re.compile(r"[\w .:/-]{1,60}")
_BOTS = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|headless|lighthouse|preview|monitor|curl|wget|python|java/|okhttp|go-http|axios"
    r"|facebookexternalhit|pingdom|scan",
    re.IGNORECASE,
)


class BadHit(Exception):  # noqa: N818
    """It is not what our script sends."""


@dataclass(frozen=True)
class Sent:
    """One message: ``what`` is a key of KINDS, TIME or IDENTIFY; ``page`` is the token of the page it is about."""

    site: str
    visit: str
    page: str
    what: str
    path: str = ""
    name: str = ""
    results: int | None = None
    query: str = ""
    seconds: int = 0
    proof: str = ""


def read_sent(body: bytes) -> Sent:
    """Return what a body says; raises BadHit for anything our script would not send."""
    if len(body) > LONGEST_BODY:
        raise BadHit("long")
    try:
        data = json.loads(body)
    except ValueError as error:
        raise BadHit("json") from error
    if not isinstance(data, dict) or not all(isinstance(value, str | int) for value in data.values()):
        raise BadHit("shape")
    what = data.get("t")
    if what not in KINDS and what not in (TIME, IDENTIFY):
        raise BadHit("what")
    return Sent(
        site=_random(data, "s"),
        visit=_random(data, "v"),
        page=_random(data, "i"),
        what=str(what),
        path=_text(data, "p")[:200],
        name=_name(data),
        results=_number(data, "r", 10**6) if "r" in data else None,
        query=" ".join(_text(data, "q").lower().split())[:100],
        seconds=_number(data, "d", LONGEST_STAY),
        proof=_text(data, "c"),
    )


def _random(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not _RANDOM.fullmatch(value):
        raise BadHit(key)
    return value


def _number(data: dict[str, Any], key: str, most: int) -> int:
    value = data.get(key, 0)
    if not isinstance(value, int):
        raise BadHit(key)
    return max(0, min(value, most))


def _name(data: dict[str, Any]) -> str:
    name = str(data.get("n", "")).strip()
    # A name with an at-sign or a long number in it is no name of a form.
    return name if _NAME.fullmatch(name) and not re.search(r"\d{5}", name) else ""


@dataclass(frozen=True)
class Rule:
    """Paths that begin with ``prefix`` belong to a section and a world (code, may be empty)."""

    prefix: str
    section: str
    world: str


def place_of(path: str, rules: Sequence[Rule]) -> tuple[str, str]:
    """Return (section, world) of a path: of the longest rule that fits, else the first word of the path."""
    path = "/" + path.partition("?")[0].partition("#")[0].lstrip("/").lower()
    fitting = [rule for rule in rules if path.startswith(rule.prefix)]
    if fitting:
        rule = max(fitting, key=lambda rule: len(rule.prefix))
        return rule.section, rule.world
    first = path.split("/")[1]
    if not first:
        return HOME, ""
    return (first if _WORD.fullmatch(first) else OTHER), ""


def page_of(path: str) -> str:
    """Return the path of a page as it is counted, without what stands behind it; empty when it may tell who somebody is
    (a long number, an address) or is no path that a website has.
    """
    page = "/" + path.partition("?")[0].partition("#")[0].strip("/").lower()
    is_plain = len(page) <= LONGEST_PAGE and _PAGE.fullmatch(page) and not re.search(r"\d{5}", page)
    return page if is_plain else ""


def _text(data: dict[str, Any], key: str) -> str:
    """Return a text that a database takes: without half characters and NUL."""
    return str(data.get(key, "")).encode("utf-8", "ignore").decode().replace("\0", "")


def is_bot(agent: str) -> bool:
    """Tell whether a User-Agent is that of a program; one without any is too."""
    return len(agent) < 10 or bool(_BOTS.search(agent))
