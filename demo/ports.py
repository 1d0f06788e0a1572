"""Ports of this machine: which are free, and which answer."""

import socket

LOCAL = "127.0.0.1"


def is_listening(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((LOCAL, port), timeout=2):
            return True
    except OSError:
        return False


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCAL, port))
        except OSError:
            return False
        return True


def free_port(preferred: int = 0) -> int:
    """Return the preferred port when it is free, else any that is."""
    if preferred and is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        return int(probe.getsockname()[1])
