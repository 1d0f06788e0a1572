"""How a higher app adds to a lower one without being imported by it: named things, filled by autodiscovery.

``common.apps.CommonConfig.ready`` imports the modules ``facts``, ``values``, ``criteria``, ``blocks``, ``usages``,
``personal``, ``traces``, ``retention``, ``register``, ``deliveries``, ``follow_ups`` and ``timeline`` of every app
that is installed, as Django's admin does with ``admin``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Anything with a stable code."""

    @property
    def code(self) -> str: ...


T = TypeVar("T", bound=Named)


class Registry(Generic[T]):
    """An ordered collection of named things; a code may be taken once."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        """Add ``item``; raises ValueError when its code is taken by another."""
        if self._items.get(item.code, item) is not item:
            raise ValueError(f"{self.kind} {item.code!r} is registered twice")
        self._items[item.code] = item
        return item

    def __getitem__(self, code: str) -> T:
        return self._items[code]

    def get(self, code: str) -> T | None:
        """Return the item with this code, or None when nobody registered it."""
        return self._items.get(code)

    def __contains__(self, code: object) -> bool:
        return code in self._items

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)


class LivingRegistry(Registry[T]):
    """A registry of which some things stand in the database: providers tell them anew at every use.

    What is registered goes before what a provider tells under the same code. Providers keep what they read for some
    seconds themselves.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._providers: list[Callable[[], Iterable[T]]] = []

    def provide(self, provider: Callable[[], Iterable[T]]) -> None:
        """Add a function that returns more of them."""
        self._providers.append(provider)

    def _told(self) -> dict[str, T]:
        told = {item.code: item for provider in self._providers for item in provider()}
        return told | self._items

    def __getitem__(self, code: str) -> T:
        found = self.get(code)
        if found is None:
            raise KeyError(code)
        return found

    def get(self, code: str) -> T | None:
        """Return the item with this code, or None; a registered one is found without asking a provider."""
        return self._items.get(code) or self._told().get(code)

    def __contains__(self, code: object) -> bool:
        return code in self._items or code in self._told()

    def __iter__(self) -> Iterator[T]:
        yield from self._items.values()
        yield from (item for code, item in self._told().items() if code not in self._items)

    def __len__(self) -> int:
        return len(self._told())
