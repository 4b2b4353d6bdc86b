"""The configuration, from environment variables. Every problem is said at once."""

from collections.abc import Mapping
from dataclasses import dataclass


class ConfigError(Exception):
    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Config:
    greeting: str
    signing_key: bytes
    version: str
    port: int
    drain_seconds: float


def read(env: Mapping[str, str]) -> Config:
    problems = []
    greeting = env.get("GREETING", "")
    if not greeting:
        problems.append("GREETING is empty; set it to what people are greeted with, such as Hello")
    key = env.get("SIGNING_KEY", "")
    if len(key) < 16:
        # Its length alone: the value is a secret.
        problems.append(f"SIGNING_KEY has {len(key)} characters; it needs 16 or more")
    port = number(env, "PORT", "8080", problems)
    drain = number(env, "DRAIN_SECONDS", "3", problems)
    if problems:
        raise ConfigError(problems)
    return Config(greeting, key.encode(), env.get("VERSION", "local"), int(port), drain)


def number(env: Mapping[str, str], name: str, default: str, problems: list[str]) -> float:
    text = env.get(name, default)
    try:
        value = float(text)
    except ValueError:
        value = -1
    if value < 0:
        problems.append(f"{name} is {text!r}; it must be a number from 0 on")
    return value
