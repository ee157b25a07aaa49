"""Roles: which one a mutation needs, declared with it, and the check before anything is run."""

from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

import strawberry
from graphql import FieldNode, GraphQLError, GraphQLField, OperationType
from graphql.execution.collect_fields import collect_fields
from graphql.execution.executor import Executor

from resolvers.audit_entries import AuditEntry, done, failed
from resolvers.context import Context
from resolvers.errors import ErrorCode, ForbiddenError
from resolvers.viewer import Role
from schema.selections import Info

ROLE = "role"


def mutation(role: Role, description: str) -> Any:
    """Declare a mutation: who may use it, and what it does. What it comes to is noted."""
    words = f"{description} Role: {role.name}."
    declare = strawberry.mutation(description=words, metadata={ROLE: role})
    return lambda resolver: declare(_noting(resolver))


def _noting(resolver: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @wraps(resolver)
    async def noting(*args: Any, info: Info, **kwargs: Any) -> Any:
        deeds = info.context.deeds
        try:
            outcome = await resolver(*args, info=info, **kwargs)
        except BaseException as error:
            deeds.append(failed(info.field_name, error))
            raise
        deeds.append(done(info.field_name, outcome))
        return outcome

    return noting


def declared_role(field: GraphQLField) -> Role:
    """Get the role that a mutation was declared with; KeyError for one that was not."""
    role: Role = field.extensions["strawberry-definition"].metadata[ROLE]
    return role


def refusals(executor: Executor[Any], context: Context) -> list[GraphQLError]:
    """Say what of an operation the viewer may not do. Nothing of one with refusals is to be run."""
    viewer = context.viewer
    if not viewer.may(Role.VIEWER):
        return [_refusal("This", Role.VIEWER)]
    if executor.operation.operation is not OperationType.MUTATION:
        return []
    refused = [(node, role) for node, role in _mutations(executor) if not viewer.may(role)]
    context.deeds += [AuditEntry(node.name.value, ErrorCode.FORBIDDEN.value) for node, _ in refused]
    return [_refusal(f"'{node.name.value}'", role, node) for node, role in refused]


def _mutations(executor: Executor[Any]) -> Iterator[tuple[FieldNode, Role]]:
    type_ = executor.schema.mutation_type
    assert type_ is not None
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        type_,
        executor.operation,
    )
    for details in collected.grouped_field_set.values():
        node = details[0].node
        if node.name.value in type_.fields:
            yield node, declared_role(type_.fields[node.name.value])


def _refusal(what: str, role: Role, node: FieldNode | None = None) -> GraphQLError:
    error = ForbiddenError(f"{what} requires the role {role.name}.")
    return GraphQLError(error.message, node, original_error=error)
