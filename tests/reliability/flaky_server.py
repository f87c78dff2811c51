"""A server between us and MLflow's: it hands on what it gets, or fails in one of the ways that servers fail."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAULTS = ("hang", "reset", "500", "html", "torn")
"""hang: no answer. torn: the request arrives and is carried out, the answer is lost."""


class Flaky:
    """Hands on `left` requests (None: all), then fails in the way `fault`."""

    def __init__(self, port: int) -> None:
        self.target, self.fault, self.left, self.seen = port, "", None, 0
        self.left: int | None
        self._lock = threading.Lock()

    def fails(self, fault: str, after: int) -> None:
        self.fault, self.left = fault, after

    def heals(self) -> None:
        self.left = None

    def is_down(self) -> bool:
        with self._lock:
            self.seen += 1
            if self.left is None:
                return False
            self.left -= 1
            return self.left < 0


@contextmanager
def between(port: int) -> Iterator[tuple[Flaky, str]]:
    flaky = Flaky(port)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *words: object) -> None:
            """Say nothing."""

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.close_connection = True
            if flaky.is_down() and flaky.fault != "torn":
                return self.fail()
            status, kind, content = _handed_on(flaky.target, self.command, self.path, body, dict(self.headers))
            if flaky.left is not None and flaky.left < 0:
                return None
            return self.say(status, kind, content)

        def fail(self) -> None:
            if flaky.fault == "hang":
                time.sleep(2.5)
            elif flaky.fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif flaky.fault == "500":
                self.say(500, "text/plain", b"no")
            else:
                self.say(200, "text/html", b"<html>sign in</html>")

        def say(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = answer

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hung up is no news."""

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield flaky, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handed_on(port: int, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
    there = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        there.request(method, path, body, {**headers, "Host": f"127.0.0.1:{port}", "Accept-Encoding": "identity"})
        said = there.getresponse()
        return said.status, said.headers.get("Content-Type", ""), said.read()
    finally:
        there.close()
