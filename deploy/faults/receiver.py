"""A webhook receiver that answers as it is told to, or not at all, and keeps what it heard."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Literal

from deploy.local.settings import LOOPBACK

Answer = int | Literal["hang", "garbage"]
_MOST_HUNG_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A page as it arrived. ``flagged``: it says itself that it may be a repetition."""

    path: str
    key: str
    flagged: bool


@dataclass(slots=True)
class Receiver:
    """Gives ``answers`` in turn, the last one for ever."""

    port: int = 0
    answers: list[Answer] = field(default_factory=lambda: [200])
    calls: list[Call] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def address(self, path: str) -> str:
        """Where a doctor is paged."""
        return f"http://{LOOPBACK}:{self.port}/{path}"

    def of(self, path: str) -> list[Call]:
        """What came for one doctor."""
        return [call for call in self.calls if call.path == f"/{path}"]

    def take(self, call: Call) -> Answer:
        """Notes a call; how to answer it."""
        self.calls.append(call)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            flagged = "HearthBeat-Possible-Duplicate" in self.headers
            answer = receiver.take(Call(path=self.path, key=self.headers["Idempotency-Key"], flagged=flagged))
            if answer == "hang":
                receiver.closing.wait(_MOST_HUNG_S)
                return
            self.send_response(200 if answer == "garbage" else answer)
            self.send_header("Retry-After", "1")
            body = b"<html>not what you expected" if answer == "garbage" else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.closing.set()
        server.shutdown()
        server.server_close()
