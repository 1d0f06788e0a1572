"""What content may hold: known blocks with valid data, audiences that exist, merge fields that exist. Nothing else is
kept.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

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
_KEYS = {"id", "type", "data", "audience"}


@dataclass(frozen=True)
class Item:
    """One block of a content: ``audience`` is a key such as ``selection:3``, or empty for everybody."""

    id: str
    block: Block
    data: Mapping[str, Any]
    audience: str = ""


def audience_key(audience: Mapping[str, Any] | None) -> str:
    """Return ``selection:3`` for ``{"kind": "selection", "id": 3}``, and empty text for everybody."""
    return f"{audience['kind']}:{audience['id']}" if audience else ""


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
        if any(ord(sign) < 32 for sign in text):
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
    stand, for whoever sees the columns.
    """
    if not isinstance(raw, dict) or set(raw) - _KEYS or not {"type"} <= set(raw):
        raise Refused("block", _("A block has a type, data and an audience, and nothing else."))
    block = block_type(str(raw["type"]))
    if in_column and not block.is_simple:
        raise Refused("column", _("A block “%s” cannot stand in a column.") % block.label)
    if in_column and raw.get("audience"):
        raise Refused("column", _("Choose for whom the columns are as a whole, not a block in them."), field="audience")
    data = check_data(block, raw.get("data") or {})
    return {
        "id": str(raw.get("id") or secrets.token_hex(4)),
        "type": block.code,
        "data": data,
        "audience": check_audience(raw.get("audience")),
    }


def check_data(block: Block, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a block's data as its form cleans it; unknown fields and faulty merge fields are refused."""
    form = block.form(data=dict(data))
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
    if not isinstance(audience, dict) or set(audience) != {"kind", "id"} or audience["kind"] not in AUDIENCES:
        raise Refused("audience", _("An audience is a selection or a label."), field="audience")
    model = AUDIENCES[audience["kind"]]
    if not str(audience["id"]).isdecimal() or not model._default_manager.filter(pk=audience["id"]).exists():
        raise Refused("audience", _("This selection or label does not exist any more."), field="audience")
    return {"kind": audience["kind"], "id": int(audience["id"])}
