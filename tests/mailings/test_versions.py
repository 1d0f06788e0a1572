"""Nothing that was written is lost: versions, undo and redo, unsaved work, colleagues who were first."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from common.errors import Refused
from mailings.actions import (
    add_block,
    change_block,
    drop_draft,
    forget_old_drafts,
    keep_draft,
    order_blocks,
    redo,
    remove_block,
    restore_version,
    save_content,
    take_over,
    undo,
)
from mailings.content import fingerprint, mark_of
from mailings.models import Content, Draft
from mailings.versions import version_of, versions_of
from tests.mailings.test_content import columns, heading, texts

pytestmark = pytest.mark.django_db


@pytest.fixture
def content(make_content: Callable[..., Content]) -> Content:
    return make_content(heading("een"), heading("twee"))


def test_each_save_is_a_version_that_says_what_changed_and_who_did(
    content: Content, marketeer: User, now: dt.datetime
) -> None:
    first, second = (one["id"] for one in content.blocks)
    change_block(content, first, data={"text": "1"}, now=now)
    add_block(content, block="heading", data={"text": "drie"}, by=marketeer, now=now)
    remove_block(content, second, now=now)
    remove_block(content, second, now=now)  # changes nothing, so it is no version
    order_blocks(content, [texts_by_id(content)["drie"]], now=now)
    save_content(content, name=content.name, subject="Anders", preheader="", now=now)
    save_content(content, name=content.name, subject="Anders", preheader="", now=now)
    content.refresh_from_db()
    versions = versions_of(content)
    assert [version.number for version in versions] == [6, 5, 4, 3, 2, 1]
    assert [version.changes for version in versions] == [
        ["onderwerp veranderd"], ["volgorde veranderd"], ["verwijderd: Kop"], ["erbij: Kop"], ["veranderd: Kop"], [],
    ]  # fmt: skip
    assert [version.is_current for version in versions] == [True, *[False] * 5]
    old = version_of(content, 1)
    assert old is not None
    assert [one["data"]["text"] for one in old.content.blocks] == ["een", "twee"]
    assert version_of(content, 99) is None


def texts_by_id(content: Content) -> dict[str, str]:
    content.refresh_from_db()
    return {one["data"]["text"]: one["id"] for one in content.blocks}


def test_undo_and_redo_walk_along_the_versions(content: Content, now: dt.datetime) -> None:
    for text in ("drie", "vier"):
        add_block(content, block="heading", data={"text": text}, now=now)
    seen = []
    for step in (undo, undo, redo, redo, undo):
        step(content, now=now)
        seen.append(len(texts(content)))
    assert seen == [3, 2, 3, 4, 3]
    add_block(content, block="heading", data={"text": "anders"}, now=now)  # from here on another way
    with pytest.raises(Refused) as refused:
        redo(content, now=now)
    assert refused.value.code == "no_version"
    undo(content, now=now)
    redo(content, now=now)
    assert texts(content) == ["een", "twee", "drie", "anders"]  # the way that was taken last
    restore_version(content, 3, now=now)
    assert texts(content) == ["een", "twee", "drie", "vier"]  # what was undone is still there
    undo(content, now=now)
    assert texts(content)[-1] == "anders"


def test_there_is_nothing_before_the_first_version(content: Content, now: dt.datetime) -> None:
    for step in (undo, redo):
        with pytest.raises(Refused):
            step(content, now=now)
    with pytest.raises(Refused):
        restore_version(content, 0, now=now)
    assert texts(content) == ["een", "twee"]


def test_the_subject_is_undone_too(content: Content, now: dt.datetime) -> None:
    before = content.subject
    save_content(content, name="Andere naam", subject="Fout", preheader="Fout", now=now)
    undo(content, now=now)
    content.refresh_from_db()
    assert (content.subject, content.preheader) == (before, "")


def test_a_colleague_who_was_first_is_not_overwritten_unseen(
    content: Content, marketeer: User, now: dt.datetime
) -> None:
    one, other = content.blocks
    was = mark_of(one)
    change_block(content, one["id"], data={"text": "van mij"}, was=was, by=marketeer, now=now)
    with pytest.raises(Refused, match="heeft dit om") as refused:
        change_block(content, one["id"], data={"text": "van jou"}, was=was, now=now)
    assert refused.value.code == "conflict"
    change_block(content, other["id"], data={"text": "iets anders"}, was=mark_of(other), now=now)
    assert texts(content) == ["van mij", "iets anders"]
    was = fingerprint(content.subject, content.preheader)
    save_content(content, name="x", subject="Nieuw", was=was, now=now)
    with pytest.raises(Refused):
        save_content(content, name="x", subject="Nog nieuwer", was=was, now=now)


def test_what_a_colleague_puts_into_a_column_is_no_conflict_for_the_columns(
    make_content: Callable[..., Content], now: dt.datetime
) -> None:
    content = make_content(columns([], []))
    outer = content.blocks[0]
    was = mark_of(outer)
    add_block(content, block="heading", data={"text": "x"}, into=f"{outer['id']}:0", now=now)
    change_block(content, outer["id"], data={"layout": "2-1"}, was=was, now=now)
    content.refresh_from_db()
    assert content.blocks[0]["data"]["columns"][0][0]["data"] == {"text": "x"}


def test_blocks_are_taken_over_from_another_message(
    content: Content, make_content: Callable[..., Content], now: dt.datetime
) -> None:
    source = make_content(heading("bron"), subject="Van de bron")
    take_over(content, source, in_place=False, now=now)
    assert texts(content) == ["een", "twee", "bron"]
    assert content.blocks[2]["id"] != source.blocks[0]["id"]
    take_over(content, source, in_place=True, now=now)
    assert texts(content) == ["bron"]
    assert content.subject == "Van de bron"
    assert texts(source) == ["bron"]


def test_unsaved_work_is_kept_per_person_and_form(
    content: Content, marketeer: User, administrator: User, now: dt.datetime
) -> None:
    for text in ("D", "Dag"):
        keep_draft(content, place="block:1", fields={"text": [text]}, by=marketeer, now=now)
    keep_draft(content, place="block:1", fields={"text": ["Van een ander"]}, by=administrator, now=now)
    assert Draft.objects.get(user=marketeer).fields == {"text": ["Dag"]}
    drop_draft(content, place="block:1", by=marketeer, now=now)
    assert Draft.objects.get().user == administrator
    with pytest.raises(Refused):
        keep_draft(content, place="block:1", fields={"text": ["x" * 60_001]}, by=marketeer, now=now)
    assert forget_old_drafts(before=now) == 0
    assert forget_old_drafts(before=now + dt.timedelta(days=1)) == 1
