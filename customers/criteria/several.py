"""Lists in params that were one value in rules of the first months: both are read."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

MOST = 100


def _several(given: Any) -> Any:
    if given is None or given == "":
        return ()
    return (given,) if isinstance(given, str | int) else given


#: Codes, of which any will do; none: whichever.
Codes = Annotated[tuple[str, ...], BeforeValidator(_several), Field(max_length=MOST)]

Id = Annotated[int, Field(ge=1, le=2**31)]
#: Ids, of which any will do; none: whichever.
Ids = Annotated[tuple[Id, ...], BeforeValidator(_several), Field(max_length=MOST)]
SomeIds = Annotated[tuple[Id, ...], BeforeValidator(_several), Field(min_length=1, max_length=MOST)]
