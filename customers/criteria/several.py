"""Lists in params that were one value in rules of the first months: both are read; empty ones are left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from common.criteria import Criterion, Params

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


class SeveralCriterion(Criterion):
    """A criterion of which most settings may stay empty."""

    def read(self, cleaned_data: Mapping[str, Any]) -> Params:
        """Turn a valid form into params; what was left empty is left out."""
        return super().read({name: value for name, value in cleaned_data.items() if value != []})

    def initial(self, params: Params) -> dict[str, Any]:
        """Return what the form shows."""
        return {name: value for name, value in super().initial(params).items() if value not in ([], "")}
