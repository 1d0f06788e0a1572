"""Make a new database of the migrations in a tenth of the time.

Before each step Django makes the classes of all models anew that the changed one is related to, near or far; with
everything related to customers that is nearly all of them, a thousand times over. A step that adds or changes no more
than its own table needs only its own class. What a migration's Python sees is made whole first, as for what Django
itself puts off.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.migrations.state import ProjectState


@contextmanager
def own_classes_only() -> Iterator[None]:
    """Renew only the class of the model that a migration adds something to, as long as this lasts."""
    plain_find, plain_add_model, plain_add_field = (
        ProjectState._find_reload_model,  # type: ignore[attr-defined]
        ProjectState.add_model,
        ProjectState.add_field,
    )

    def find(state: Any, app_label: str, model_name: str, delay: bool = False) -> Any:
        if not delay and not getattr(state, "_adds", False):
            return plain_find(state, app_label, model_name, delay)
        state.is_delayed = True
        return {(app_label, model_name)}

    def adding(plain: Any) -> Any:
        def add(state: Any, *args: Any, **kwargs: Any) -> None:
            state._adds = True
            try:
                plain(state, *args, **kwargs)
            finally:
                del state._adds

        return add

    def put(find: Any, add_model: Any, add_field: Any) -> None:
        ProjectState._find_reload_model = find  # type: ignore[attr-defined]
        ProjectState.add_model = add_model  # type: ignore[method-assign]
        ProjectState.add_field = add_field  # type: ignore[method-assign]

    put(find, adding(plain_add_model), adding(plain_add_field))
    try:
        yield
    finally:
        put(plain_find, plain_add_model, plain_add_field)
