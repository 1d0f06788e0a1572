"""Pages of a long list, as far as people leaf: each page costs all rows before it."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.functional import cached_property

MOST_LEAFED = 10_000  # rows; what lies deeper is found by searching, sorting and filters, or taken out as a file


class _Leaf(Page):  # type: ignore[type-arg]
    """One page; the last one is not the end of the list when that is cut."""

    def end_index(self) -> int:
        return min(self.number * self.paginator.per_page, self.paginator.count)


class Leafing(Paginator):  # type: ignore[type-arg]
    """Pages up to ``MOST_LEAFED`` rows; ``count`` is still of all of them."""

    @cached_property
    def num_pages(self) -> int:
        return min(super().num_pages, max(MOST_LEAFED // self.per_page, 1))

    @property
    def is_cut(self) -> bool:
        """Whether there is more than the pages show."""
        return self.count > self.num_pages * self.per_page

    def _get_page(self, *args: Any, **kwargs: Any) -> _Leaf:
        return _Leaf(*args, **kwargs)
