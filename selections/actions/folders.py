"""Folders of selections."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import Refused
from selections.models import Folder


def save_folder(folder: Folder | None, *, name: str, now: dt.datetime) -> Folder:
    """Make a folder, or give one another name; raises Refused on a name in use."""
    folder = folder or Folder(created_at=now)
    folder.name = name.strip()
    if not folder.name:
        raise Refused("name_missing", _("Give the folder a name."), field="name")
    try:
        with transaction.atomic():
            folder.save()
    except IntegrityError:
        message = _("There is a folder with this name already. Choose another name.")
        raise Refused("name_taken", message, field="name") from None
    return folder


def delete_folder(folder: Folder) -> int:
    """Delete a folder; its selections stay, in no folder. Returns how many those are."""
    count = folder.selections.count()
    folder.delete()
    return count
