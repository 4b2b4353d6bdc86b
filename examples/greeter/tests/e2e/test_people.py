"""Runs against a service at PROMOTE_URL, before it takes any traffic."""

import json
import os
import unittest
import urllib.parse
import urllib.request


class People(unittest.TestCase):
    def test_each_is_greeted_by_name_and_with_a_signature_of_their_own(self):
        signatures = set()
        for name in ("Ada", "Grace", "Жанна"):
            query = urllib.parse.urlencode({"name": name})
            with urllib.request.urlopen(os.environ["PROMOTE_URL"] + "/?" + query, timeout=10) as response:
                answer = json.load(response)
            self.assertIn(name, answer["greeting"])
            signatures.add(answer["signature"])
        self.assertEqual(len(signatures), 3)


if __name__ == "__main__":
    unittest.main()
