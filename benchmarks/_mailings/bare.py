"""(b) The same finished bytes through a bare loop of smtplib over a connection that stays open; nothing recorded."""

from __future__ import annotations

import json
import os
import pickle
import smtplib
import sys
import time
from pathlib import Path

from benchmarks._mailings.processes import wait_for_the_word


def main() -> None:
    """Arguments: file of (sender, recipient, bytes), how many to send, port, number of this process."""
    path, count, port = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    mails = pickle.loads(path.read_bytes())  # noqa: S301 - written by this benchmark
    smtp = smtplib.SMTP("127.0.0.1", port)
    smtp.ehlo()
    wait_for_the_word()
    started = time.perf_counter()
    for number in range(count):
        sender, recipient, content = mails[number % len(mails)]
        smtp.sendmail(sender, [recipient], content)
    seconds = time.perf_counter() - started
    smtp.quit()
    print(json.dumps({"seconds": seconds, "cpu": time.process_time(), "pid": os.getpid()}))


if __name__ == "__main__":
    main()
