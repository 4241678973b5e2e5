"""A webhook receiver that answers as it is asked to, or not at all, and keeps what it heard."""

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
    """A notification as it arrived. ``flagged``: it says itself that it may be a repetition."""

    key: str
    flagged: bool
    body: str


@dataclass(slots=True)
class Receiver:
    """Everybody is a path of their own. Gives a path's ``answers`` in turn, the last one for ever; 200 without any."""

    port: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    def address(self, path: str) -> str:
        """Where somebody is notified."""
        return f"http://{LOOPBACK}:{self.port}/{path}"

    def of(self, path: str) -> list[Call]:
        """What came for somebody."""
        return self.calls.get(path, [])

    def take(self, path: str, call: Call) -> Answer:
        """Notes a call; how to answer it."""
        self.calls.setdefault(path, []).append(call)
        answers = self.answers.get(path) or [200]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@contextmanager
def open_receiver() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            flagged, key = "HearthBeat-Possible-Duplicate" in self.headers, self.headers.get("Idempotency-Key", "")
            answer = receiver.take(self.path.strip("/"), Call(key=key, flagged=flagged, body=body))
            if answer == "hang":
                receiver.closing.wait(_MOST_HUNG_S)
                return
            self.send_response(200 if answer == "garbage" else answer)
            self.send_header("Retry-After", "1")
            said = b"<html>not what you expected" if answer == "garbage" else b""
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

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
