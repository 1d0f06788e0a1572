"""Files that nothing tells of any more."""

from __future__ import annotations

import datetime as dt

from django.core.files.storage import default_storage

from mailings.models import LetterBatch

LETTERS = "letters"  # the folder, as ``LetterBatch.file`` says


def forgotten_letters(*, before: dt.datetime) -> list[str]:
    """Return the files of letters that belong to no pile, and were not touched since then: their process was killed
    before it could write down that they are there.
    """
    if not default_storage.exists(LETTERS):
        return []
    found = [
        f"{LETTERS}/{year}/{month}/{name}"
        for year in default_storage.listdir(LETTERS)[0]
        for month in default_storage.listdir(f"{LETTERS}/{year}")[0]
        for name in default_storage.listdir(f"{LETTERS}/{year}/{month}")[1]
    ]
    known = set(LetterBatch.objects.exclude(file="").values_list("file", flat=True))
    return [name for name in found if name not in known and default_storage.get_modified_time(name) < before]
