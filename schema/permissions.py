"""Roles: declaration of the role that a mutation requires, and the check before execution."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLError, GraphQLField, OperationType

from resolvers.audit_entries import AuditEntry, completed, failed
from resolvers.context import Context
from resolvers.errors import ErrorCode, ForbiddenError
from resolvers.viewer import Role
from schema.execution.models import RootFields
from schema.selections import Info

ROLE = "role"


def mutation(role: Role, description: str) -> Any:
    """Declare a mutation that requires a role and adds its outcome to the audit entries."""
    with_role = f"{description} Role: {role.name}."
    declare = strawberry.mutation(description=with_role, metadata={ROLE: role})
    return lambda resolver: declare(_audited(resolver))


def _audited(resolver: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(resolver)
    async def audited(*args: Any, info: Info, **kwargs: Any) -> Any:
        entries = info.context.audit_entries
        try:
            outcome = await resolver(*args, info=info, **kwargs)
        except BaseException as error:
            entries.append(failed(info.field_name, error))
            raise
        entries.append(completed(info.field_name, outcome))
        return outcome

    return audited


def declared_role(field: GraphQLField) -> Role:
    """Return the role that a mutation was declared with. Raises KeyError if it has none."""
    role: Role = field.extensions["strawberry-definition"].metadata[ROLE]
    return role


def permission_errors(
    type_: OperationType, fields: RootFields, context: Context
) -> list[GraphQLError]:
    """Return an error for each root field that the viewer's roles do not allow.

    An operation with such errors must not be executed.
    """
    viewer = context.viewer
    if not viewer.may(Role.VIEWER):
        return [_forbidden("This", Role.VIEWER)]
    if type_ is not OperationType.MUTATION:
        return []
    declared = [(node, declared_role(field)) for node, field in fields]
    forbidden = [(node, role) for node, role in declared if not viewer.may(role)]
    context.audit_entries += [
        AuditEntry(node.name.value, ErrorCode.FORBIDDEN.value) for node, _ in forbidden
    ]
    return [_forbidden(f"'{node.name.value}'", role, node) for node, role in forbidden]


def _forbidden(what: str, role: Role, node: FieldNode | None = None) -> GraphQLError:
    error = ForbiddenError(f"{what} requires the role {role.name}.")
    return GraphQLError(error.message, node, original_error=error)
