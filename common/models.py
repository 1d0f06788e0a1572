"""Models of the ground floor: only the carrier of the product's permissions."""

from common.roles import Access

__all__ = ["Access"]
