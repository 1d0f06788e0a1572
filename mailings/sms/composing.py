"""From the text of a content to one reader's text message. Compiled once per mailing, in the shape of any content."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from common.blocks import CLOSE, OPEN, plain, slot
from common.errors import Refused
from customers.models import Purpose
from mailings.compiling import Compiled, Links, cut
from mailings.fields import check_merge_fields, merge_fields
from mailings.models import SendingSettings, ShortText, TextSettings
from mailings.recipients import samples_of_blocks, values_of_customers
from mailings.rendering import fill
from mailings.sms.counting import Size, measure, simplified
from mailings.sms.short_links import MOST_LINKS, STOP, short_url
from vouchers.models import Definition

MOST_SIGNS = 1000
VOUCHER = re.compile(r"\{\{\s*voucher\s*\}\}")
_ADDRESS = re.compile(f'https?://[^\\s<>"{OPEN}{CLOSE}]+')
_FIELD_IN_ADDRESS = re.compile(r"https?://\S*\{\{")
_TRAILING = ".,;:!?')"
_EXAMPLE_ID = 50_000_000  # of a message whose links are as long as real ones will be for a long time


@dataclass(frozen=True)
class Example:
    """A text message as it would read for somebody, its size, and what it would cost in thousandths of a euro."""

    text: str
    size: Size
    cost_mills: int


def check_text(text: str, voucher: Definition | None) -> None:
    """Refuse a text that is too long, holds a field that is none, or does not name the voucher that goes along."""
    if len(text) > MOST_SIGNS:
        raise Refused("too_long", _("A text message has at most %d signs.") % MOST_SIGNS, field="text")
    check_merge_fields(VOUCHER.sub("", text), field="text")
    if _FIELD_IN_ADDRESS.search(text):
        raise Refused("link", _("A link is the same for everybody: it cannot hold a merge field."), field="text")
    if len(_ADDRESS.findall(text)) > MOST_LINKS:
        raise Refused("links", _("A text message has at most %d links.") % MOST_LINKS, field="text")
    if voucher and not VOUCHER.search(text):
        raise Refused("voucher", _("Write {{ voucher }} where the code has to stand."), field="text")
    if VOUCHER.search(text) and not voucher:
        raise Refused("voucher", _("Choose the voucher whose code stands in the text."), field="voucher")


def links_in(text: str) -> list[str]:
    """Return the addresses in a text, each once, as they become links."""
    return list(dict.fromkeys(match[0].rstrip(_TRAILING) for match in _ADDRESS.finditer(plain(text))))


def compile_text(short: ShortText, *, purpose: Purpose, limits: TextSettings) -> Compiled:
    """Return the pieces of a text message, with its links taken out and the way to say no at its end."""
    links = Links([])

    def shortened(match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING)
        return links.slot_for(url) + match[0][len(url) :]

    with override(settings.LANGUAGE_CODE):
        text = _ADDRESS.sub(shortened, plain(short.text.strip())) + _ending(purpose, limits)
    voucher = short.voucher_id
    pieces = [[f"voucher:{voucher}:code", None] if piece[:1] == ["voucher"] else piece for piece in cut(text)]
    blocks = [{"type": "voucher", "data": {"definition": voucher}, "audience": ""}] if voucher else []
    return {
        "version": 2, "subject": [], "html": [], "text": [["", pieces]], "letter": [], "look": {}, "sender": {},
        "links": links.urls, "blocks": blocks, "styles": {},
    }  # fmt: skip


def _ending(purpose: Purpose, limits: TextSettings) -> str:
    if purpose.rule == Purpose.Rule.SERVICE:
        return ""
    return "\n" + (_("No more? Answer STOP") if limits.can_be_answered else _("No more? %s") % slot("stop_url"))


def write_text(compiled: Compiled, values: Mapping[str, str], *, message_id: int) -> str:
    """Return the text for one reader, in signs that cost as little as they can."""
    addresses = {f"link:{position}": short_url(message_id, position + 1) for position in range(len(compiled["links"]))}
    given = {**values, **addresses, "stop_url": short_url(message_id, STOP)}
    return _clean(fill(compiled["text"][0][1], given, as_html=False))


def _clean(text: str) -> str:
    return "".join(sign for sign in simplified(text) if sign.isprintable() or sign == "\n")


def example(short: ShortText, *, purpose: Purpose, customer_id: int | None = None, now: dt.datetime) -> Example:
    """Return the message as a customer would read it, or with examples in its fields; its voucher is a sample."""
    return next(_examples(short, purpose, [customer_id] if customer_id else [], now))


def examples(short: ShortText, *, purpose: Purpose, customer_ids: Sequence[int], now: dt.datetime) -> list[Example]:
    """Return the messages of some customers, to see how long they get and what they cost."""
    return list(_examples(short, purpose, customer_ids, now)) if customer_ids else []


def example_of_pieces(compiled: Compiled, *, customer_id: int | None = None, now: dt.datetime) -> Example:
    """Return a message that was compiled already, as a customer would read it or with examples in its fields."""
    return next(_written(compiled, [customer_id] if customer_id else [], now))


def write_test(short: ShortText, *, purpose: Purpose, customer_id: int | None = None, now: dt.datetime) -> str:
    """Return the message as it goes to a colleague: links stand there in full, since the short ones are a message's."""
    compiled = compile_text(short, purpose=purpose, limits=TextSettings.load())
    targets = {f"link:{position}": url for position, url in enumerate(compiled["links"])}
    values = _values(compiled, customer_id, now) | targets | {"stop_url": settings.BASE_URL}
    return _clean(fill(compiled["text"][0][1], values, as_html=False))


def _examples(short: ShortText, purpose: Purpose, customer_ids: Sequence[int], now: dt.datetime) -> Iterator[Example]:
    return _written(compile_text(short, purpose=purpose, limits=TextSettings.load()), customer_ids, now)


def _written(compiled: Compiled, customer_ids: Sequence[int], now: dt.datetime) -> Iterator[Example]:
    limits = TextSettings.load()
    for values in _all_values(compiled, customer_ids, now):
        text = write_text(compiled, values, message_id=_EXAMPLE_ID)
        size = measure(text)
        yield Example(text, size, size.parts * limits.price_mills)


def _values(compiled: Compiled, customer_id: int | None, now: dt.datetime) -> dict[str, str]:
    return next(_all_values(compiled, [customer_id] if customer_id else [], now))


def _all_values(compiled: Compiled, customer_ids: Sequence[int], now: dt.datetime) -> Iterator[dict[str, str]]:
    """Yield what stands in the fields for each customer, or examples when there is none; vouchers are samples."""
    identity = SendingSettings.load()
    samples = dict(samples_of_blocks(compiled, medium="sms"))
    anybody = {field.code: field.example for field in merge_fields} | {"organisation": identity.organisation}
    found = values_of_customers(customer_ids, identity=identity, now=now) if customer_ids else {0: anybody}
    return ({**values, **samples} for values in found.values())
