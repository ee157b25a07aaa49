"""The prefix of variables, and the syntax of lists in them."""

from pydantic import BeforeValidator

PREFIX = "JOBLENS_"


def _split(value: object) -> object:
    return tuple(item.strip() for item in value.split(",")) if isinstance(value, str) else value


COMMA_SEPARATED = BeforeValidator(_split)
