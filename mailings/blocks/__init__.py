"""The content blocks of mailings itself; vouchers and MijnMenu add their own."""

from mailings.blocks import cards, columns, simple, social
from mailings.blocks.fields import RichText, WebAddress

__all__ = ["RichText", "WebAddress", "cards", "columns", "simple", "social"]
