"""The rules of documents that have no limits but the default ones."""

from schema.executable import EXECUTABLE_SCHEMA
from schema.execution.documents import Rules

ANY_RULES = Rules(EXECUTABLE_SCHEMA)
