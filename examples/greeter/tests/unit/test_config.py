import unittest

from greeter.config import ConfigError, read

GOOD = {"GREETING": "Hello", "SIGNING_KEY": "not-a-real-key-000"}


class Read(unittest.TestCase):
    def test_defaults(self):
        config = read(GOOD)
        self.assertEqual((config.port, config.drain_seconds, config.version), (8080, 3, "local"))

    def test_every_problem_is_said_and_no_secret(self):
        with self.assertRaises(ConfigError) as caught:
            read({"SIGNING_KEY": "hunter2", "PORT": "http"})
        self.assertEqual(len(caught.exception.problems), 3)
        self.assertNotIn("hunter2", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
