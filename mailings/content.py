"""What content may hold: known blocks with valid data, audiences that exist, merge fields that exist. Nothing else is
kept.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.forms import DateField, TimeField
from django.utils.translation import gettext as _

from common.blocks import Block, blocks, strip_private
from common.errors import Refused
from labels.models import Label
from mailings.fields import check_merge_fields
from selections.models import Selection

AUDIENCES = {"selection": Selection, "label": Label}
MAX_BLOCKS = 60
MAX_COLUMNS = 3
COLUMNS = "columns"  # the one type that holds lists of blocks, in ``data["columns"]``
MOST_DIGITS = 18  # of the number of a row
JOINT = "+"  # between the audiences that one must belong to all of
_KEYS = {"id", "type", "data", "audience"}
_ID = re.compile(r"[\w-]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Item:
    """One block of a content: ``audience`` is a key such as ``selection:3``, or empty for everybody who sees what it
    stands in.
    """

    id: str
    block: Block
    data: Mapping[str, Any]
    audience: str = ""


def audience_key(audience: Mapping[str, Any] | None) -> str:
    """Return ``selection:3`` for ``{"kind": "selection", "id": 3}``, and empty text for everybody."""
    return f"{audience['kind']}:{audience['id']}" if audience else ""


def both(outer: str, inner: str) -> str:
    """Return the key of who belongs to both audiences: ``selection:3+label:5``."""
    return JOINT.join(dict.fromkeys(part for part in f"{outer}{JOINT}{inner}".split(JOINT) if part))


def parts_of(key: str) -> list[str]:
    """Return the audiences that one must belong to all of; none for everybody."""
    return key.split(JOINT) if key else []


def belongs(key: str, audiences: Collection[str]) -> bool:
    """Say whether somebody of these audiences sees what is for ``key``."""
    return not key or key in audiences or all(part in audiences for part in key.split(JOINT))


def with_readers(blocks_json: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each block, also those in columns, with the key of who sees it."""
    for one in blocks_json:
        outer = audience_key(one.get("audience"))
        yield one, outer
        for column in one["data"]["columns"] if one["type"] == COLUMNS else ():
            yield from ((inner, both(outer, audience_key(inner.get("audience")))) for inner in column)


def read_items(blocks_json: list[dict[str, Any]]) -> list[Item]:
    """Return stored blocks with their types; raises Refused when a type is not installed any more."""
    return [
        Item(one["id"], block_type(one["type"]), one["data"], audience_key(one.get("audience"))) for one in blocks_json
    ]


def lists_in(blocks_json: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield each list of blocks of a content: its own, then those in columns."""
    yield blocks_json
    for one in blocks_json:
        if one["type"] == COLUMNS:
            yield from one["data"]["columns"]


def every_block(blocks_json: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield each block of a content, also those in columns."""
    return (one for found in lists_in(blocks_json) for one in found)


def without_ids(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block without ids, also of the blocks in its columns: a copy gets ids of its own."""
    data = one["data"]
    if one["type"] == COLUMNS:
        data = {**data, "columns": [[without_ids(inner) for inner in column] for column in data["columns"]]}
    return {"type": one["type"], "data": data, "audience": one.get("audience")}


def fingerprint(*values: Any) -> str:
    """Return a mark that differs when the values do: a form carries it, to see whether somebody else was first."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def mark_of(one: Mapping[str, Any]) -> str:
    """Return the fingerprint of what the form of a block changes."""
    kept = block_type(one["type"]).kept
    return fingerprint({key: value for key, value in one["data"].items() if key not in kept}, one.get("audience"))


def block_type(code: str) -> Block:
    """Return the block of that code; raises Refused."""
    if block := blocks.get(code):
        return block
    raise Refused("unknown_block", _("There is no block of type “%s”.") % code)


def check_subject(subject: str, preheader: str) -> None:
    """Refuse a subject or preview text that could not stand in the head of a mail."""
    for field, text in (("subject", subject), ("preheader", preheader)):
        if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
            raise Refused("subject", _("This must be one line."), field=field)
        check_merge_fields(text, field=field)


def check_blocks(blocks_json: Any) -> list[dict[str, Any]]:
    """Return blocks in the form in which they are kept (ids filled in); raises Refused at the first that is wrong."""
    if not isinstance(blocks_json, list):
        raise Refused("blocks", _("Content is a list of at most %d blocks.") % MAX_BLOCKS)
    checked = [check_one(one) for one in blocks_json[: MAX_BLOCKS + 1]]
    check_number(checked)
    ids = [one["id"] for one in every_block(checked)]
    if len(set(ids)) < len(ids):
        raise Refused("blocks", _("Two blocks have the same id."))
    return checked


def check_number(blocks_json: list[dict[str, Any]]) -> None:
    """Refuse more blocks than a mail can reasonably hold, those in columns counted."""
    if sum(1 for _one in every_block(blocks_json)) > MAX_BLOCKS:
        raise Refused("too_many_blocks", _("Content is a list of at most %d blocks.") % MAX_BLOCKS)


def check_inner(columns: Any) -> list[list[dict[str, Any]]]:
    """Return the blocks in columns as they are kept; raises Refused at the first that may not stand in one."""
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS or not all(isinstance(one, list) for one in columns):
        raise Refused("columns", _("Columns are a list of at most %d lists of blocks.") % MAX_COLUMNS)
    return [[check_one(one, in_column=True) for one in column[:MAX_BLOCKS]] for column in columns]


def check_one(raw: Any, *, in_column: bool = False) -> dict[str, Any]:
    """Return one block as it is kept; raises Refused with the field at fault. In a column only simple blocks may
    stand; their audience is among those who see the columns.
    """
    if not isinstance(raw, dict) or set(raw) - _KEYS or not {"type"} <= set(raw):
        raise Refused("block", _("A block has a type, data and an audience, and nothing else."))
    block = block_type(str(raw["type"]))
    if in_column and not block.is_simple:
        raise Refused("column", _("A block “%s” cannot stand in a column.") % block.label)
    block_id = str(raw.get("id") or secrets.token_hex(4))
    if not _ID.fullmatch(block_id):
        raise Refused("block", _("The id of a block is at most 40 letters, digits, dashes and underscores."))
    given = raw.get("data") or {}
    if not isinstance(given, dict):
        raise Refused("block", _("A block has a type, data and an audience, and nothing else."))
    data = check_data(block, given)
    return {
        "id": block_id,
        "type": block.code,
        "data": data,
        "audience": check_audience(raw.get("audience")),
    }


def check_data(block: Block, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block's data as its form cleans it; unknown fields and faulty merge fields are refused."""
    form = block.form(data={name: _typed(block, name, value) for name, value in data.items()})
    if unknown := set(data) - set(form.fields):
        raise Refused("unknown_field", _("A block “%(block)s” has no field “%(field)s”.") % {
            "block": block.label, "field": min(unknown)})  # fmt: skip
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        label = form.fields[field].label if field in form.fields else ""
        raise Refused("block_data", f"{block.label}, {label}: {errors[0]}", field=field)
    for field, text in _texts(form.cleaned_data):
        _check_text(form.fields[field], field, text)
    return {name: strip_private(value) if isinstance(value, str) else value
            for name, value in block.to_data(form.cleaned_data).items()}  # fmt: skip


def _typed(block: Block, name: str, value: Any) -> Any:
    """Return a value as a form takes it from people, who type; raises Refused at a list where one text belongs."""
    if name not in block.kept and isinstance(value, list | dict):
        raise Refused("block_data", _("A field of a block holds one text or number."), field=name)
    is_moment = isinstance(block.form.base_fields.get(name), DateField | TimeField)
    return str(value) if is_moment and isinstance(value, int | float) else value


def _texts(cleaned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in cleaned.items() if isinstance(value, str))


def _check_text(form_field: Any, field: str, text: str) -> None:
    check_merge_fields(text, field=field)
    addresses = text if form_field.__class__.__name__ == "WebAddress" else "".join(_hrefs(text))
    if "{{" in addresses:
        raise Refused("link", _("A link is the same for everybody: it cannot hold a merge field."), field=field)


def _hrefs(text: str) -> Iterator[str]:
    return (part.partition('"')[0] for part in text.split('href="')[1:])


def check_audience(audience: Any) -> dict[str, Any] | None:
    """Return the audience of a block, or None for everybody; raises Refused when it does not exist."""
    if not audience:
        return None
    if not isinstance(audience, dict) or set(audience) != {"kind", "id"} or str(audience["kind"]) not in AUDIENCES:
        raise Refused("audience", _("An audience is a selection or a label."), field="audience")
    model, number = AUDIENCES[audience["kind"]], str(audience["id"])
    if (
        not (number.isdecimal() and len(number) <= MOST_DIGITS)
        or not model._default_manager.filter(pk=audience["id"]).exists()
    ):
        raise Refused("audience", _("This selection or label does not exist any more."), field="audience")
    return {"kind": audience["kind"], "id": int(audience["id"])}
