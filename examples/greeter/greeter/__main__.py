"""Runs the service until SIGTERM: python3 -m greeter."""

import os
import signal
import sys
import threading

from greeter.config import ConfigError, read
from greeter.server import Server


def main() -> int:
    try:
        config = read(os.environ)
    except ConfigError as error:
        for problem in error.problems:
            print(f"greeter: {problem}", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = Server(config)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    print(f"greeter: version {config.version} listens on port {server.server_port}", flush=True)
    stop.wait()
    print("greeter: draining", flush=True)
    server.drain()
    serving.join()
    return 0


sys.exit(main())
