"""How the web process serves; gunicorn reads this file by itself from the folder it starts in."""

import os
import re
from typing import Any

from gunicorn.glogging import Logger

worker_class = "gthread"
workers = int(os.environ.get("WEB_WORKERS", "2"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 20
max_requests = 20_000
max_requests_jitter = 2_000

control_socket_disable = True  # it would lie in the home folder, one for all projects

accesslog = "-"
access_log_format = "%(t)s %(m)s %(U)s %(s)s %(B)sB %(M)sms"


class DiscreetLogger(Logger):
    """Leave out what opens something or names somebody: tokens in paths, queries, addresses of visitors."""

    def atoms(self, *args: Any) -> dict[str, Any]:
        """Return gunicorn's values without tokens, secrets and codes in the path, on one line."""
        atoms: dict[str, Any] = super().atoms(*args)
        named = r"(?<=/api/v1/vouchers/)[^/]+|(?<=/api/v1/customers/)[^/]+|(?<=/s/)[^/]+|(?<=/m/sms/)[^/]+"
        path = re.sub(rf"[^/]{{24,}}|{named}", "...", str(atoms["U"]))
        # A path arrives decoded: a line break in it would write a line of its own.
        return atoms | {"U": path.encode("unicode_escape").decode()}


logger_class = DiscreetLogger
