"""Keep that customers were taken out of the product."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.contrib.auth.models import User

from selections.actions.who import By
from selections.models import Export, ResultSet, Selection


def record_export(
    thing: Selection | ResultSet,
    *,
    columns: Sequence[str],
    row_count: int,
    kind: str = Export.Kind.FILE,
    by: By,
    now: dt.datetime,
) -> Export:
    """Keep that a user takes these customers of a selection or a result set out of the product, and as what."""
    return Export.objects.create(
        selection=thing if isinstance(thing, Selection) else thing.selection,
        result_set=thing if isinstance(thing, ResultSet) else None,
        selection_name=thing.name,
        kind=kind,
        user=by if isinstance(by, User) else None,
        columns=list(columns),
        row_count=row_count,
        exported_at=now,
    )
