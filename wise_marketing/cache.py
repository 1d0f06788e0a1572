"""The cache, which may be away: a page must not fail because a counter cannot be kept."""

import logging
from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache

log = logging.getLogger(__name__)


class ForgivingRedisCache(RedisCache):
    """Behave as an empty cache while Redis is away; nothing that must be true is kept here."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """Return the default when Redis is away."""
        try:
            return super().get(key, default, version)
        except redis.ConnectionError:
            log.warning("cache is away")
            return default

    def set(self, *args: Any, **kwargs: Any) -> None:
        """Drop the value when Redis is away."""
        try:
            super().set(*args, **kwargs)
        except redis.ConnectionError:
            log.warning("cache is away")
