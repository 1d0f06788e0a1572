"""How often a property is tried: as `make test` has time for, or by TREES (of which 200 is usual) more often."""

import os

TREES = int(os.environ.get("TREES", "200"))


def tries(usual: int) -> int:
    """Return how many examples to draw where ``usual`` are tried in `make test`."""
    return max(1, usual * TREES // 200)
