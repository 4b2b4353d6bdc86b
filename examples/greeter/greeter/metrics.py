"""Counters in Prometheus' text format."""

import threading


class Requests:
    """Counts requests by their status. Errors are counted from 0: a series that is born with the first error hides it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {200: 0, 500: 0}

    def count(self, code: int) -> None:
        with self._lock:
            self._counts[code] = self._counts.get(code, 0) + 1

    def text(self) -> str:
        with self._lock:
            lines = [f'http_requests_total{{code="{code}"}} {n}' for code, n in sorted(self._counts.items())]
        head = ["# HELP http_requests_total Requests answered, by status; probes are not counted.", "# TYPE http_requests_total counter"]
        return "\n".join(head + lines) + "\n"
