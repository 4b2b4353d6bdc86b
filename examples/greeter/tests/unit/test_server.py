import http.client
import threading
import unittest

from greeter.config import read
from greeter.server import Server


class Serving(unittest.TestCase):
    def setUp(self):
        config = read({"GREETING": "Hello", "SIGNING_KEY": "not-a-real-key-000", "PORT": "0", "DRAIN_SECONDS": "0", "VERSION": "v7"})
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def tearDown(self):
        self.server.drain()
        self.thread.join()

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        connection.close()
        return response, body

    def test_every_answer_names_its_version(self):
        response, body = self.get("/?name=Ada")
        self.assertEqual((response.status, response.getheader("X-Version")), (200, "v7"))
        self.assertIn("Hello, Ada!", body)

    def test_errors_are_counted_from_zero(self):
        self.get("/?name=Ada")
        _, body = self.get("/metrics")
        self.assertIn('http_requests_total{code="200"} 1\n', body)
        self.assertIn('http_requests_total{code="500"} 0\n', body)

    def test_a_draining_server_is_not_ready_and_closes_connections(self):
        self.server.draining = True
        response, _ = self.get("/readyz")
        self.assertEqual((response.status, response.getheader("Connection")), (503, "close"))
        response, _ = self.get("/healthz")
        self.assertEqual(response.status, 200)


if __name__ == "__main__":
    unittest.main()
