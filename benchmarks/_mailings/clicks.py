"""Clicks through gunicorn, set up as in production: readers on connections that stay open follow links of a mailing."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection  # noqa: TID251 - asks a server of its own
from threading import Thread
from urllib.parse import urlsplit

READERS = 8
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"


@contextmanager
def serving() -> Iterator[int]:
    """Run the web process; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "wise_marketing.wsgi", "--bind", f"127.0.0.1:{port}"]
    environment = {**os.environ, "ALLOWED_HOSTS": "*", "WEB_WORKERS": "2"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _try in range(300):
        try:
            line = HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/healthz/")
            line.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the web process did not come up")


def clicks_per_s(urls: list[str]) -> float:
    """Follow each address once, over READERS connections; return how many per second were answered with a redirect."""
    paths = json.dumps([urlsplit(url).path for url in urls])
    with serving() as port:
        command = [sys.executable, "-m", "benchmarks._mailings.clicks", str(port)]
        done = subprocess.run(command, input=paths, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _follow(port: int, paths: list[str], problems: list[int]) -> None:
    """Follow addresses one after the other; bare sockets, since a client library takes longer than the server."""
    line = socket.create_connection(("127.0.0.1", port))
    for path in paths:
        line.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {AGENT}\r\nAccept: text/html\r\n"
            "Accept-Language: nl\r\nAccept-Encoding: gzip, br\r\n\r\n".encode()
        )
        answer = line.recv(65536)
        while b"\r\n\r\n" not in answer:
            answer += line.recv(65536)
        if not answer.startswith(b"HTTP/1.1 302"):
            problems.append(int(answer[9:12]))
        if b"\r\nConnection: close" in answer:
            line.close()
            line = socket.create_connection(("127.0.0.1", port))
    line.close()


def main() -> None:
    """Be the readers."""
    port, paths, problems = int(sys.argv[1]), json.loads(sys.stdin.read()), list[int]()
    threads = [Thread(target=_follow, args=(port, paths[number::READERS], problems)) for number in range(READERS)]
    started = time.perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not problems, problems[:5]
    print(len(paths) / (time.perf_counter() - started))


if __name__ == "__main__":
    main()
