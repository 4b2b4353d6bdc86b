import unittest

from greeter.greet import greet, sign


class Greet(unittest.TestCase):
    def test_a_name_is_greeted(self):
        self.assertEqual(greet("Hello", " Ada "), "Hello, Ada!")

    def test_nobody_is_a_stranger(self):
        self.assertEqual(greet("Hello", " "), "Hello, stranger!")

    def test_another_key_signs_differently(self):
        self.assertNotEqual(sign(b"one", "Hello"), sign(b"two", "Hello"))


if __name__ == "__main__":
    unittest.main()
