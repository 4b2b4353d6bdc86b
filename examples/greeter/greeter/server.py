"""The HTTP server: greetings, probes, metrics, and an end that loses no request."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from greeter.config import Config
from greeter.greet import greet, sign
from greeter.metrics import Requests


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30  # for a client that is silent
    server: "Server"

    def do_GET(self):
        with self.server.busy():
            url = urlsplit(self.path)
            if url.path == "/healthz":
                self.answer(200, "text/plain", "ok\n")
            elif url.path == "/readyz":
                self.answer(503 if self.server.draining else 200, "text/plain", "draining\n" if self.server.draining else "ready\n")
            elif url.path == "/metrics":
                self.answer(200, "text/plain; version=0.0.4", self.server.requests.text())
            else:
                self.count_and_answer(*self.work(url))

    def work(self, url) -> tuple[int, dict]:
        if url.path != "/":
            return 404, {"error": f"there is no {url.path}"}
        try:
            name = parse_qs(url.query).get("name", [""])[0]
            text = greet(self.server.config.greeting, name)
            return 200, {"greeting": text, "signature": sign(self.server.config.signing_key, text)}
        except Exception as error:  # whatever it is, the client gets an answer and the counter counts it
            return 500, {"error": type(error).__name__}

    def count_and_answer(self, code: int, body: dict):
        self.server.requests.count(code)
        self.answer(code, "application/json", json.dumps(body) + "\n")

    def answer(self, code: int, kind: str, text: str):
        data = text.encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Version", self.server.config.version)
        if self.server.draining:
            # Clients that keep connections open come again on a new one, to a pod that stays.
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Nothing for each request: the metrics have them."""


class Server(ThreadingHTTPServer):
    daemon_threads = True  # an idle connection must not hold up the end
    request_queue_size = 128

    def __init__(self, config: Config):
        super().__init__(("", config.port), Handler)
        self.config = config
        self.requests = Requests()
        self.draining = False
        self._busy = 0
        self._idle = threading.Condition()

    def busy(self):
        return _Busy(self)

    def drain(self):
        """Answers everything for a while with `Connection: close`, stops listening, and ends what is in flight."""
        self.draining = True
        time.sleep(self.config.drain_seconds)
        self.shutdown()
        self.server_close()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout=5)


class _Busy:
    def __init__(self, server: Server):
        self.server = server

    def __enter__(self):
        with self.server._idle:
            self.server._busy += 1

    def __exit__(self, *_):
        with self.server._idle:
            self.server._busy -= 1
            self.server._idle.notify_all()
