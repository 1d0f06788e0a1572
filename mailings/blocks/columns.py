"""Two or three columns beside each other, each a list of simple blocks; on a phone they stand below each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from common.blocks import CUT, Block, blocks
from common.errors import Refused
from mailings.content import Item, block_type, check_inner, read_items

Data = Mapping[str, Any]
#: layout -> width of each column in percent
LAYOUTS = {"1-1": (50, 50), "1-2": (34, 66), "2-1": (66, 34), "1-1-1": (33, 34, 33)}


class ColumnsField(forms.Field):
    """The blocks in each column: a list of lists, or the same as JSON."""

    def __init__(self) -> None:
        super().__init__(label=_("Columns"), required=False, widget=forms.HiddenInput)

    def clean(self, value: Any) -> list[list[dict[str, Any]]]:
        """Return the blocks as they are kept; raises ValidationError at the first that may not stand there."""
        try:
            found = json.loads(value) if isinstance(value, str) and value else value or []
            return check_inner(found)
        except ValueError as error:
            raise forms.ValidationError(gettext("This is not JSON."), code="invalid") from error
        except Refused as refused:
            raise forms.ValidationError(str(refused), code="invalid") from refused


class ColumnsForm(forms.Form):
    layout = forms.ChoiceField(
        label=_("Columns"),
        choices=[
            ("1-1", _("Two, equally wide")),
            ("1-2", _("Two, the right one wider")),
            ("2-1", _("Two, the left one wider")),
            ("1-1-1", _("Three")),
        ],
        widget=forms.RadioSelect,
        initial="1-1",
        help_text=_("Fill them afterwards, in the list of blocks. On a phone they stand below each other."),
    )
    columns = ColumnsField()

    def clean(self) -> dict[str, Any]:
        """Fit the columns to the layout; what stood in a column that goes comes below the last."""
        cleaned = super().clean() or self.cleaned_data
        if "layout" in cleaned and "columns" in cleaned:
            count = len(LAYOUTS[cleaned["layout"]])
            found = [*cleaned["columns"], *([] for _missing in range(count))]
            extra = [one for column in found[count:] for one in column]
            cleaned["columns"] = [*found[: count - 1], [*found[count - 1], *extra]]
        return cleaned


class Columns(Block):
    """Lists of blocks beside each other."""

    code, label, icon, form = "columns", _("Columns"), "columns-3", ColumnsForm
    kept = frozenset({"columns"})

    def dress(self, data: Data, style: Any) -> Data:
        """Dress what stands in the columns."""
        return {**data, "columns": [[_dressed(one, style) for one in column] for column in data["columns"]]}

    def mjml(self, data: Data) -> str:
        """Return the columns, each with its width."""
        widths = LAYOUTS[data["layout"]]
        return "".join(
            f'<mj-column width="{width}%">{"".join(_mjml(one) for one in items)}</mj-column>'
            for width, items in zip(widths, _items(data), strict=True)
        )

    def section(self, data: Data) -> str:
        """Return the columns in one row."""
        return f"<mj-section>{self.mjml(data)}</mj-section>"

    def text(self, data: Data) -> str:
        """Return the columns below each other."""
        done = "".join(_for_readers(one, f"{one.block.text(one.data)}\n\n") for items in _items(data) for one in items)
        return done.removesuffix("\n\n")

    def letter(self, data: Data) -> str:
        """Return the columns beside each other."""
        columns = ("".join(_for_readers(one, one.block.letter(one.data)) for one in items) for items in _items(data))
        return f'<div class="columns">{"".join(f"<div>{column}</div>" for column in columns)}</div>'

    def summary(self, data: Data) -> str:
        """Return how many columns and blocks there are."""
        count = sum(len(column) for column in data["columns"])
        within = ngettext("%(count)d block", "%(count)d blocks", count) % {"count": count}
        return f"{dict(self.form.base_fields['layout'].choices)[data['layout']]}: {within}"  # type: ignore[attr-defined]


def _mjml(one: Item) -> str:
    return _for_readers(one, one.block.mjml(one.data), "<mj-raw>{}</mj-raw>")


def _for_readers(one: Item, words: str, frame: str = "{}") -> str:
    """Return the words between the marks at which they are cut out, where not everybody sees them: what begins names
    audience and block, what ends nothing.
    """
    if not one.audience:
        return words
    begin, end = frame.format(f"{CUT}{one.audience} {one.id}{CUT}"), frame.format(f"{CUT}{CUT}")
    return f"{begin}{words}{end}"


def _items(data: Data) -> list[list[Item]]:
    return [read_items(column) for column in data["columns"]]


def _dressed(one: dict[str, Any], style: Any) -> dict[str, Any]:
    return {**one, "data": block_type(one["type"]).dress(one["data"], style)}


blocks.register(Columns())
