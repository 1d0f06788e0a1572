import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from mailings.actions import keep_block, remove_saved_block, rename_saved_block, use_saved_block
from mailings.models import Content, SavedBlock
from tests.mailings.test_content import columns, heading

pytestmark = pytest.mark.django_db


def test_a_saved_block_is_copied_into_other_messages(
    make_content: Callable[..., Content], marketeer: User, now: dt.datetime
) -> None:
    content, other = make_content(columns([heading("a")], [heading("b")])), make_content(heading("x"))
    outer = content.blocks[0]
    saved = keep_block(content, outer["id"], name="Twee koppen", by=marketeer, now=now)
    assert saved.created_by == marketeer
    first, second = (use_saved_block(other, saved, now=now) for _twice in range(2))
    other.refresh_from_db()
    assert [one["type"] for one in other.blocks] == ["heading", "columns", "columns"]
    inner = [one["id"] for block in other.blocks[1:] for column in block["data"]["columns"] for one in column]
    assert len({first, second, *inner, outer["id"]}) == 7  # each copy has ids of its own


def test_a_block_in_a_column_is_saved_and_used_in_a_column(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(columns([heading("a")], []))
    outer = content.blocks[0]
    saved = keep_block(content, outer["data"]["columns"][0][0]["id"], name="Kop", now=now)
    use_saved_block(content, saved, into=f"{outer['id']}:1", now=now)
    content.refresh_from_db()
    assert content.blocks[0]["data"]["columns"][1][0]["data"] == {"text": "a"}


def test_names_of_saved_blocks_are_free_and_blocks_are_there(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(heading("a"))
    block = content.blocks[0]["id"]
    saved = keep_block(content, block, name="Kop", now=now)
    other = keep_block(content, block, name="Anders", now=now)
    for attempt in (
        lambda: keep_block(content, block, name="KOP", now=now),
        lambda: rename_saved_block(other, name="kop"),
        lambda: keep_block(content, "weg", name="Nieuw", now=now),
    ):
        with pytest.raises(Refused):
            attempt()
    rename_saved_block(saved, name="kop")
    remove_saved_block(other)
    assert list(SavedBlock.objects.values_list("name", flat=True)) == ["kop"]
