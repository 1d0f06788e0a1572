"""The shape of a content block; every app adds its own in a module ``blocks.py``.

A block is compiled once per mailing into pieces with slots, and filled in per customer. A slot is a name between two
private-use characters that no text of a marketeer can hold, so nothing anybody types can become one. Merge fields as
people write them, ``{{ first_name | default: "lezer" }}``, become slots here; ``mailings.content`` says which names
exist.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from django import forms
from django.conf import settings
from django.db.models import Model, QuerySet
from django.urls import reverse

from common.registry import Registry
from common.tokens import make_token

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

#: Where the message is read; the values of a slot may differ (a QR code: an address in a mail, a drawing in a letter).
Medium = Literal["email", "post", "sms"]
#: slot name -> plain text; the renderer escapes it for HTML. A name that ends in ``!`` holds HTML we made ourselves.
Values = Mapping[str, str]

OPEN, CLOSE = "\ue000", "\ue001"
SLOT = re.compile(f"{OPEN}([^{OPEN}{CLOSE}:|]+(?::[^{OPEN}{CLOSE}|]+)?)(?:\\|([0-9a-f]*))?{CLOSE}")
MERGE_FIELD = re.compile(r'\{\{\s*([a-z_]+)\s*(?:\|\s*default:\s*(?:"([^"{}]*)"|“([^”{}]*)”)\s*)?\}\}')
CUT = "\ue002"  # with which compiled blocks are cut where other readers begin
#: Ours, and signs that are no text and that no XML may hold: Word and terminals copy them along.
_CONTROL = {*range(32), *range(0x7F, 0xA0), 0xFFFE, 0xFFFF} - {ord(sign) for sign in "\t\n\r"}
_PRIVATE = dict.fromkeys([*range(0xE000, 0xE010), *_CONTROL])


def slot(name: str, fallback: str | None = None) -> str:
    """Return the mark that the value of ``name`` will replace; without value the fallback stands there.

    The mark may stand in text and in attribute values (``src``, ``href``) of MJML and HTML.
    """
    return OPEN + name + ("" if fallback is None else "|" + fallback.encode().hex()) + CLOSE


def strip_private(text: str) -> str:
    """Remove the characters that delimit slots, so that text from outside cannot hold one, and control characters."""
    return text.translate(_PRIVATE)


def plain(text: str) -> str:
    """Return text from a marketeer as plain text with slots for its merge fields."""
    return MERGE_FIELD.sub(_merge_slot, strip_private(text))


def prose(text: str) -> str:
    """Return text from a marketeer as escaped HTML: merge fields are slots, line ends are ``<br>``."""
    pieces, position = [], 0
    text = strip_private(text)
    for match in MERGE_FIELD.finditer(text):
        pieces += [html.escape(text[position : match.start()]), _merge_slot(match)]
        position = match.end()
    return "".join([*pieces, html.escape(text[position:])]).replace("\r\n", "\n").replace("\n", "<br>")


def _merge_slot(match: re.Match[str]) -> str:
    fallback = match[2] if match[2] is not None else match[3]
    return slot(match[1], fallback)


def qr_url(text: str) -> str:
    """Return the public address of a PNG with ``text`` as QR code; it is signed, so it shows nothing but what we gave
    out.

    Mail programs refuse ``data:`` images, hence an address.
    """
    return settings.BASE_URL + reverse("mailings:qr", args=[make_token("qr", text)])


class Block(ABC):
    """One type of content. ``data`` is always the JSON that ``to_data`` made of a valid form.

    The first three methods run once per mailing and return pieces that may hold slots; ``values`` fills the block's
    own slots for many customers in one query. Slots of a block are called ``<code>:<id>:<part>``, e.g.
    ``voucher:12:code``.
    """

    code: ClassVar[str]
    label: ClassVar[str | _StrPromise]
    icon: ClassVar[str]  # a lucide name
    form: ClassVar[type[forms.Form]]  # its field names are the allowed keys of ``data``
    kept: ClassVar[frozenset[str]] = frozenset()  # of these the ones that the form does not ask, but the editor fills
    is_simple: ClassVar[bool] = False  # may stand in a column: it has no slots of its own and prepares nothing

    @property
    def holds_words(self) -> bool:
        """Whether somebody writes words in it, which may name fields about the reader."""
        fields = self.form.base_fields.values()
        return any(isinstance(one, forms.CharField) and not isinstance(one, forms.URLField) for one in fields)

    @abstractmethod
    def mjml(self, data: Mapping[str, Any]) -> str:
        """Return what stands in the ``<mj-column>`` of the mail: mj-text, mj-image, mj-button, mj-divider, mj-table.

        Classes to use: ``mj-class="title"``, ``"subtitle"``, ``"muted"``, ``"centre"``, ``"code"`` (large, monospaced).
        """

    def dress(self, data: Mapping[str, Any], style: Any) -> Mapping[str, Any]:
        """Return the data as it is written in a house style (``mailings.styles.Style``), where that adds something."""
        return data

    def section(self, data: Mapping[str, Any]) -> str:
        """Return the row of the mail that holds this block: one column, unless it says otherwise."""
        return f"<mj-section><mj-column>{self.mjml(data)}</mj-column></mj-section>"

    @abstractmethod
    def text(self, data: Mapping[str, Any]) -> str:
        """Return the same content as plain text, without line wrapping."""

    @abstractmethod
    def letter(self, data: Mapping[str, Any]) -> str:
        """Return the same content as HTML for a printed letter (addresses of links written out)."""

    def summary(self, data: Mapping[str, Any]) -> str:
        """Return one line that tells this block from its neighbours in the editor."""
        return " ".join(self.text(data).split())[:80]

    def to_data(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Return the form's ``cleaned_data`` as JSON: an object becomes its key."""
        return {name: _as_json(value) for name, value in cleaned.items()}

    def slots(self, data: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of the block's own slots (not the merge fields of its text)."""
        return []

    def prepare(self, data: Mapping[str, Any], *, customers_sql: str, origin: str, now: dt.datetime) -> None:
        """Make what the customers who will see this block need, e.g. issue vouchers, in one statement.

        Called when a mailing starts, inside its transaction. ``customers_sql`` yields ``customer_id``, is fully bound
        and has its percent signs doubled; ``origin`` is ``mailing:<id>``. Raises Refused to stop the mailing.
        """
        return

    def values(
        self, data: Mapping[str, Any], *, customer_ids: Sequence[int], origin: str, medium: Medium
    ) -> Mapping[int, Values]:
        """Return customer id -> slot name -> value for at most some hundreds of customers, in one query."""
        return {}

    def samples(self, data: Mapping[str, Any], *, medium: Medium) -> Values:
        """Return values that stand in a preview or a test message; they must be worthless in real life."""
        return {}


def _as_json(value: Any) -> Any:
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet):
        return list(value.values_list("pk", flat=True))
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    return value


blocks: Registry[Block] = Registry("block")
