"""How variables are named, and how a variable holds a list."""

from pydantic import BeforeValidator

PREFIX = "JOBLENS_"


def _split(value: object) -> object:
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


WORDS = BeforeValidator(_split)
