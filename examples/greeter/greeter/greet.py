"""What the service does: greet a name, and sign the greeting so that nobody else can have said it."""

import hashlib
import hmac


def greet(greeting: str, name: str) -> str:
    return f"{greeting}, {name.strip() or 'stranger'}!"


def sign(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
