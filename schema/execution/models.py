"""Requests, operations and responses, and the schema that they are run on."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
)

from resolvers.audit_entries import AuditEntry
from resolvers.context import Context
from resolvers.errors import ResponseTooLargeError
from schema.execution.error_format import format_error
from schema.execution.plan_cache import PlanCache
from schema.limits.list_sizes import ListSizes

RootFields = Sequence[tuple[FieldNode, GraphQLField]]


@dataclass(frozen=True, slots=True, eq=False)
class ExecutableSchema:
    """A schema, and what is needed to run documents on it.

    `list_sizes`: how many objects its fields could return. `permission_errors`: for the root fields
    of an operation that the viewer may not use; with any, nothing is run. `is_short`: whether an
    operation only looks objects up by their ids.
    """

    definition: GraphQLSchema
    list_sizes: ListSizes
    permission_errors: Callable[[OperationType, RootFields, Context], list[GraphQLError]]
    is_short: Callable[[DocumentNode, OperationDefinitionNode], bool]


@dataclass(frozen=True, slots=True)
class Request:
    """A GraphQL request: a document, the name of the operation to run, and its variables.

    The document may be given by an id, or by its hash (Apollo's persisted queries). `position`: of
    the primary's log, up to which a query must see everything.
    """

    query: str | None
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    document_id: str | None = None
    sha256_hash: str | None = None
    position: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """The response to an operation. `refused`: nothing was run, and `errors` state why.

    `requested` and `returned`: the cost at most, and the actual one. `max_bytes`: of its JSON.
    `audit_entries`: the outcomes of a mutation's fields. `position`: of the primary's log, up to
    which they are written. `encoded`: its JSON, once it has been
    encoded, for all subscribers that share it.
    """

    data: dict[str, Any] | None
    errors: Sequence[dict[str, Any]] = ()
    refused: bool = False
    requested: int = 0
    returned: int = 0
    max_bytes: int = sys.maxsize
    audit_entries: Sequence[AuditEntry] = ()
    position: str | None = None
    encoded: list[bytes] = field(default_factory=list, repr=False, compare=False)

    def body(self) -> dict[str, Any]:
        """Get the response in the format of the GraphQL specification."""
        body: dict[str, Any] = {"errors": list(self.errors)} if self.errors else {}
        if not self.refused:
            body["data"] = self.data
        if self.requested:
            cost = {"requested": self.requested, "returned": self.returned}
            body["extensions"] = {"cost": cost}
        if self.position is not None:
            body.setdefault("extensions", {})["position"] = self.position
        return body

    def too_large(self) -> "Response":
        """Get the response that replaces this one if it is too large."""
        fields = [{"field": d.name, "outcome": d.outcome, **d.details} for d in self.audit_entries]
        error = format_error(ResponseTooLargeError(self.max_bytes, fields))
        return replace(self, data=None, errors=[error], encoded=[])

    def codes(self) -> set[str]:
        """Collect the codes of its errors."""
        return {error["extensions"]["code"] for error in self.errors}


@dataclass(frozen=True, slots=True)
class Operation:
    """A valid document and the one of its operations that is to be run.

    `text`: the document's. `plans`: what has been compiled of the
    document. `conditions`: the variables in its `@skip` and `@include`. `cost`: the number of
    objects that it could return with the variables of its request, those of one event for a
    subscription. `is_short`: it only looks objects up by their ids. `is_registered`: whether
    the document is one that the operator chose.
    """

    schema: ExecutableSchema
    document: DocumentNode
    node: OperationDefinitionNode
    name: str | None
    type: OperationType
    text: str
    plans: PlanCache
    conditions: tuple[str, ...] = ()
    cost: int = 0
    hides_suggestions: bool = False
    compiles: bool = True
    is_short: bool = False
    is_registered: bool = False
