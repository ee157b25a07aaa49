"""The schema of Joblens with what schema.execution needs to run documents on it."""

from schema.execution.models import ExecutableSchema
from schema.limits.list_sizes import list_sizes
from schema.limits.lookups import is_lookup
from schema.permissions import permission_errors
from schema.schema import core_schema

EXECUTABLE_SCHEMA = ExecutableSchema(
    core_schema, list_sizes(core_schema), permission_errors, is_lookup
)
