"""A line to the broker that is lost says so, also while it is being closed.

Closing a channel gives back what was taken from the queue and not acknowledged. When the broker went away, kombu 5.7
tries that over a line that no longer knows where to: an ``AttributeError``, at which a worker ends in the middle of its
mails instead of connecting again. As the error of a connection it is what it is: the work goes on, and what was not
acknowledged comes back by itself.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as transport
from redis.exceptions import ConnectionError as LostError


class Channel(transport.Channel):
    """A channel that knows when its connection was closed."""

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection.client is None:
            raise LostError("The connection to the broker was closed.")
        return super()._connparams(asynchronous=asynchronous)  # type: ignore[misc, no-any-return]


transport.Transport.Channel = Channel
