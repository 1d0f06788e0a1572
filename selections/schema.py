"""The audience language as JSON Schema (2020-12), made from the registry, for whoever builds rules elsewhere.

It describes rules as they are written now. Codes that point at rows (a branch, a label) are text here; whether they are
there is asked when a rule is saved.
"""

from __future__ import annotations

from typing import Any

from django.utils import translation
from pydantic import BaseModel

from common.criteria import Criterion, criteria
from common.values import values
from selections.rules import MAX_NODES, MAX_PICKS, VERSION, OnePerHousehold, Op, Sample, Share, Top

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PICKS: tuple[type[BaseModel], ...] = (Sample, Share, Top, OnePerHousehold)


def rule_schema() -> dict[str, Any]:
    """Return the schema of a whole rule; texts in English, whatever the active language."""
    with translation.override("en"):
        known = {criterion.code: _criterion(criterion) for criterion in criteria}
        definitions: dict[str, Any] = {
            "group": {"type": "object", "properties": _group(), "required": ["op"], "additionalProperties": False},
            "node": {"oneOf": [{"$ref": "#/$defs/group"}, *({"$ref": _at(code)} for code in known)]},
            "pick": {"oneOf": [{"$ref": _at(pick.__name__)} for pick in _PICKS]},
        }
        for code, (schema, own) in known.items():
            definitions |= {code: schema, **own}
        for pick in _PICKS:
            definitions |= _flat(pick, pick.__name__)
            definitions[pick.__name__].setdefault("required", []).append("pick")
        if len(values):
            definitions["Top"]["properties"]["by"]["enum"] = [value.code for value in values]
    return {
        "$schema": DIALECT,
        "title": "Rule of a selection",
        "description": f"A tree of groups and criteria; at most {MAX_NODES} parts in all.",
        "type": "object",
        "properties": {"version": {"const": VERSION}, **_group()},
        "required": ["version", "op"],
        "additionalProperties": False,
        "$defs": definitions,
    }


def _group() -> dict[str, Any]:
    return {
        "op": {"enum": Op.values, "description": "How the group combines its children."},
        "children": {"type": "array", "items": {"$ref": "#/$defs/node"}, "maxItems": MAX_NODES},
        "picks": {
            "description": "What thins the group out, one after the other.",
            "type": "array",
            "items": {"$ref": "#/$defs/pick"},
            "maxItems": MAX_PICKS,
        },
    }


def _criterion(criterion: Criterion) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema of a node with this criterion, and the definitions that its settings need."""
    code = criterion.code
    own = _flat(criterion.params, f"{code}/params")
    for name, field in criterion.form.base_fields.items():
        if field.label and name in own[f"{code}/params"].get("properties", {}):
            own[f"{code}/params"]["properties"][name]["title"] = str(field.label)
    has_required = bool(own[f"{code}/params"].get("required"))
    schema = {
        "title": str(criterion.label),
        "description": f"{criterion.group}. {_text(type(criterion))}".strip(),
        "type": "object",
        "properties": {"criterion": {"const": code}, "params": {"$ref": _at(f"{code}/params")}},
        "required": ["criterion", "params"] if has_required else ["criterion"],
        "additionalProperties": False,
    }
    return schema, own


def _flat(model: type[BaseModel], name: str) -> dict[str, Any]:
    """Return the schema of a model under its name, and what it refers to under names of its own: models of two
    criteria may be called the same.
    """
    schema = model.model_json_schema(ref_template=_at(f"{name}/{{model}}"))
    inner = schema.pop("$defs", {})
    schema.pop("title", None)
    for one in inner.values():
        one.pop("title", None)
    if getattr(model, "__doc__", None) and "description" in schema:
        schema["description"] = _text(model)
    return {name: schema, **{f"{name}/{key}": one for key, one in inner.items()}}


def _text(documented: type[Any]) -> str:
    """Return what a class says of itself, as one line."""
    return " ".join((documented.__doc__ or "").replace("``", "").split())


def _at(name: str) -> str:
    """Return the reference to a definition; a slash in its name is written as JSON pointers write it."""
    return f"#/$defs/{name.replace('/', '~1')}"
