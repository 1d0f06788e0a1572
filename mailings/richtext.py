"""Small formatted texts: which tags may stand in them, and the same text for a mail, a letter and plain text. Pure."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

import nh3

from common.blocks import MERGE_FIELD, slot, strip_private

TAGS = {"p", "br", "strong", "em", "a", "ul", "ol", "li"}
SCHEMES = ("http", "https", "mailto", "tel")
_PAGE = re.compile(r"[\w-]+(\.[\w-]+)*\.[a-z]{2,}(:\d+)?([/?#]\S*)?", re.IGNORECASE)
_MAILBOX = re.compile(r"[^\s@:/]+@[\w-]+(\.[\w-]+)+")
_SAME = {"div": "p", "b": "strong", "i": "em"}  # what editors and word processors write
_OTHER_NAME = re.compile(rf"<(/?)({'|'.join(_SAME)})(?=[\s/>])", re.IGNORECASE)
_APART = re.compile(r"(?=</?(?:p|br|ul|ol|li|div)\b)", re.IGNORECASE)
_PARAGRAPH = '<p style="margin:0 0 14px">'
_LINK = '<a style="color:inherit;text-decoration:underline" '


def clean(text: str) -> str:
    """Return only what may stand in a text: paragraphs, line ends, bold, italic, links and lists; the rest becomes
    plain text.
    """
    text = _OTHER_NAME.sub(lambda match: f"<{match[1]}{_SAME[match[2].lower()]}", text)
    done = nh3.clean(
        text,
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes=set(SCHEMES),
        link_rel=None,
        attribute_filter=lambda _tag, _name, value: _address(value),
    )
    return strip_private(done).strip()  # afterwards: what was written as a number is a sign only now


def _address(value: str) -> str | None:
    """Return where a link leads to; of one without a scheme, as people type it, the page or mailbox that is meant. What
    leads nowhere out of a mail is none.
    """
    value = value.strip()
    if value.lower().startswith(tuple(f"{scheme}:" for scheme in SCHEMES)):
        return value
    if _PAGE.fullmatch(value):
        return f"https://{value}"
    return f"mailto:{value}" if _MAILBOX.fullmatch(value) else None


def is_empty(text: str) -> bool:
    """Say whether nobody would see anything."""
    return not to_text(text).strip()


def first_words(text: str, *, length: int = 80) -> str:
    """Return the beginning of a text without tags, cut between words."""
    apart = _APART.sub(" ", text)  # a word that is bold stays in its sentence
    words = " ".join(html.unescape(nh3.clean(apart, tags=set())).split())
    return words if len(words) <= length else words[: length - 1].rsplit(" ", 1)[0] + "…"


def to_html(text: str) -> str:
    """Return cleaned text as HTML for a mail: merge fields are slots, paragraphs and links carry their own looks."""
    body = with_slots(clean(text)).replace("<p>", _PARAGRAPH).replace("<a ", _LINK)
    return body if body.startswith(("<p", "<ul", "<ol")) else f"{_PARAGRAPH}{body}</p>"


def to_letter(text: str) -> str:
    """Return cleaned text as HTML for paper, where an address must be readable: ``<a>`` becomes its text and
    address.
    """
    body = with_slots(clean(text))
    walker = _Text(keep_tags=True)
    walker.feed(body)
    done = walker.result()
    return done if done.startswith(("<p", "<ul", "<ol")) else f"<p>{done}</p>"


def to_text(text: str) -> str:
    """Return cleaned text as plain text with slots; a link is followed by its address between brackets."""
    walker = _Text()
    walker.feed(with_slots(clean(text)))
    return walker.result().strip()


def with_slots(cleaned: str) -> str:
    """Turn merge fields in cleaned HTML into slots; a fallback loses its HTML escapes."""
    return MERGE_FIELD.sub(
        lambda match: slot(
            match[1], None if match[2] is match[3] is None else html.unescape(match[2] or match[3] or "")
        ),
        cleaned,
    )


class _Text(HTMLParser):
    """Walks over cleaned HTML and writes it down without links; with ``keep_tags`` the other tags stay."""

    def __init__(self, *, keep_tags: bool = False) -> None:
        super().__init__(convert_charrefs=True)
        self.keep_tags = keep_tags
        self.out: list[str] = []
        self.href = ""
        self.link_start = 0
        self.lists: list[int] = []  # per open list: 0 for bullets, else the number of the next item

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.href, self.link_start = dict(attrs).get("href") or "", len(self.out)
        elif self.keep_tags:
            self.out.append(f"<{tag}>")
        elif tag == "br":
            self.out.append("\n")
        elif tag in {"ul", "ol"}:
            self.lists.append(1 if tag == "ol" else 0)
            self.out.append("\n" if len(self.lists) > 1 else "")
        elif tag == "li":
            self.out.append("  " * (len(self.lists) - 1) + self._bullet())

    def _bullet(self) -> str:
        if not self.lists or not self.lists[-1]:
            return "- "
        self.lists[-1] += 1
        return f"{self.lists[-1] - 1}. "

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()
        elif self.keep_tags:
            self.out.append("" if tag == "br" else f"</{tag}>")
        elif tag in {"p", "ul", "ol"}:
            if tag != "p" and self.lists:
                self.lists.pop()
            self.out.append("" if self.lists else "\n\n" if tag == "p" else "\n")
        elif tag == "li":
            self.out.append("\n")

    def _end_link(self) -> None:
        words = "".join(self.out[self.link_start :]).strip()
        address = self.href.removeprefix("mailto:").removeprefix("tel:")
        if address and address != words:
            self.out.append(html.escape(f" ({address})") if self.keep_tags else f" ({address})")

    def handle_data(self, data: str) -> None:
        self.out.append(html.escape(data) if self.keep_tags else " ".join(data.split("\n")))

    def result(self) -> str:
        joined = "".join(self.out)
        return joined if self.keep_tags else "\n".join(line.rstrip() for line in joined.split("\n"))
