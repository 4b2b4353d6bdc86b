"""Runs against a service at PROMOTE_URL, before it takes any traffic."""

import json
import os
import unittest
import urllib.request


class Greeting(unittest.TestCase):
    def test_it_greets_and_signs(self):
        with urllib.request.urlopen(os.environ["PROMOTE_URL"] + "/?name=Ada", timeout=10) as response:
            answer = json.load(response)
        self.assertTrue(answer["greeting"].endswith(", Ada!"), answer)
        self.assertEqual(len(answer["signature"]), 64)


if __name__ == "__main__":
    unittest.main()
