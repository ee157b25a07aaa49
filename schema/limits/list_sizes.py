"""The maximum size of each list of the schema, given the arguments of its field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    VariableNode,
    value_from_ast_untyped,
)

from db.limits import MAX_BATCH, MAX_FACTS, MAX_SOURCES, MAX_TRANSITIONS
from db.statuses import JobStatus
from resolvers.bulk import SAMPLES
from resolvers.errors import BadUserInputError
from resolvers.mutation_results import SkipReason
from resolvers.paging import LIST_SIZE
from resolvers.queues import MAX_QUEUES
from resolvers.suggestions import SUGGESTIONS
from resolvers.time_buckets import MAX_BUCKETS, TimeBucketSize
from resolvers.timelines import MAX_SERIES
from resolvers.workers import MAX_WORKERS
from schema.limits.document_limits import DocumentLimits
from schema.scalars import parse_date_time

# A size that depends on the variables of the request.
Size = Callable[[Mapping[str, Any]], int]
Sizing = Callable[[FieldNode, DocumentLimits], Size]

# The types whose objects add to the cost. Others are parts or containers of these.
COUNTED = frozenset(
    {
        "Job",
        "JobEvent",
        "JobAttempt",
        "JobMoment",
        "JobWaiting",
        "QueueSummary",
        "WorkerSummary",
        "Batch",
        "Source",
        "JobGroup",
        "TimeBucket",
        "ErrorGroup",
        "Suggestion",
        "Count",
    }
)

# Fields that have as many objects as the page or list that they belong to.
INHERITED = frozenset(
    {
        ("JobConnection", "nodes"),
        ("JobConnection", "edges"),
        ("JobEdge", "node"),
        ("JobEventConnection", "nodes"),
        ("JobEventConnection", "edges"),
        ("JobEventEdge", "node"),
        ("ErrorGroupConnection", "nodes"),
        ("ErrorGroupConnection", "edges"),
        ("ErrorGroupEdge", "node"),
        ("StatusCount", "count"),
        ("TimelineSeries", "buckets"),
        ("Suggestion", "count"),
        ("CreateJobsPayload", "jobs"),
        ("BulkJobPayload", "jobs"),
        ("TransitionJobsPayload", "results"),
        # Of the results of `transitionJobs`; elsewhere there is no list.
        ("JobPayload", "job"),
        ("IllegalTransition", "job"),
        ("ReadOnlyJob", "job"),
        ("RecordFactsPayload", "faults"),
    }
)


def zero(_variables: Mapping[str, Any]) -> int:
    """Return 0."""
    return 0


def one(_variables: Mapping[str, Any]) -> int:
    """Return 1."""
    return 1


def _value(node: FieldNode, name: str, variables: Mapping[str, Any], default: Any = None) -> Any:
    for argument in node.arguments or ():
        if argument.name.value == name:
            if isinstance(argument.value, VariableNode):
                return variables.get(argument.value.name.value, default)
            return value_from_ast_untyped(argument.value, dict(variables))
    return default


def _number(value: Any, default: int, maximum: int) -> int:
    """Return a size within bounds; 0 for an invalid value, which is rejected later."""
    if value is None:
        return default
    return int(max(0, min(value, maximum))) if isinstance(value, int | float) else 0


def _page(node: FieldNode, limits: DocumentLimits) -> Size:
    def size(variables: Mapping[str, Any]) -> int:
        values = [_value(node, name, variables) for name in ("first", "last")]
        given = [value for value in values if value is not None] or [None]
        default, maximum = limits.page_size_default, limits.page_size_max
        return max(_number(value, default, maximum) for value in given)

    return size


def _up_to(argument: str) -> Sizing:
    def sizing(node: FieldNode, limits: DocumentLimits) -> Size:
        def size(variables: Mapping[str, Any]) -> int:
            # Omitted, it is the schema's default; null is the default page size.
            value = _value(node, argument, variables, LIST_SIZE)
            return _number(value, limits.page_size_default, limits.page_size_max)

        return size

    return sizing


def _queues(node: FieldNode, _limits: DocumentLimits) -> Size:
    return lambda variables: _number(
        _value(node, "first", variables, MAX_QUEUES), MAX_QUEUES, MAX_QUEUES
    )


def _items(argument: str, maximum: Callable[[DocumentLimits], int]) -> Sizing:
    def sizing(node: FieldNode, limits: DocumentLimits) -> Size:
        def size(variables: Mapping[str, Any]) -> int:
            value = _value(node, argument, variables)
            # A single value is coerced to a list.
            return min(len(value) if isinstance(value, list) else 1, maximum(limits))

        return size

    return sizing


def _suggestions(node: FieldNode, limits: DocumentLimits) -> Size:
    def size(variables: Mapping[str, Any]) -> int:
        return _number(_value(node, "first", variables, SUGGESTIONS), 0, limits.page_size_max)

    return size


def _limit(node: FieldNode, _limits: DocumentLimits) -> Size:
    return lambda variables: _number(_value(node, "limit", variables, 100), 100, MAX_BATCH)


def _buckets(node: FieldNode, _limits: DocumentLimits) -> Size:
    def size(variables: Mapping[str, Any]) -> int:
        start, until, bucket = (
            _value(node, name, variables) for name in ("from", "until", "bucket")
        )
        try:
            length = TimeBucketSize[bucket].length
            whole = (parse_date_time(until) - parse_date_time(start)) // length
        except (KeyError, TypeError, BadUserInputError):
            return MAX_BUCKETS
        # Two more, since the first and last bucket may overlap the range in part.
        return max(0, min(whole + 2, MAX_BUCKETS))

    return size


def _series(node: FieldNode, limits: DocumentLimits) -> Size:
    buckets = _buckets(node, limits)

    def size(variables: Mapping[str, Any]) -> int:
        # One more for the rest. Its buckets are priced here, for their field has no arguments.
        top = _number(_value(node, "top", variables, 8), 8, MAX_SERIES)
        return (top + 1) * buckets(variables)

    return size


def _fixed(count: int) -> Sizing:
    return lambda _node, _limits: lambda _variables: count


def _introspection(schema: GraphQLSchema) -> dict[tuple[str, str], Sizing]:
    """Return the sizes of introspection lists: their average sizes in this schema."""
    types = schema.type_map.values()
    with_fields = [t for t in types if isinstance(t, GraphQLObjectType | GraphQLInterfaceType)]
    fields = [field for type_ in with_fields for field in type_.fields.values()]
    inputs = [t for t in types if isinstance(t, GraphQLInputObjectType)]
    enums = [t for t in types if isinstance(t, GraphQLEnumType)]

    def average(total: int, among: int) -> Sizing:
        return _fixed(max(1, round(total / among)))

    return {
        ("__Schema", "types"): _fixed(len(schema.type_map)),
        ("__Schema", "directives"): _fixed(len(schema.directives)),
        ("__Type", "fields"): average(len(fields), len(with_fields)),
        ("__Type", "inputFields"): average(sum(len(t.fields) for t in inputs), len(inputs)),
        ("__Type", "enumValues"): average(sum(len(t.values) for t in enums), len(enums)),
        ("__Type", "interfaces"): _fixed(1),
        ("__Type", "possibleTypes"): _fixed(3),
        ("__Field", "args"): average(sum(len(field.args) for field in fields), len(fields)),
        ("__Directive", "args"): _fixed(1),
    }


SIZES: Mapping[tuple[str, str], Sizing] = {
    ("Query", "jobs"): _page,
    ("Query", "jobEvents"): _page,
    ("Query", "nodes"): _items("ids", lambda limits: limits.page_size_max),
    ("Query", "statusCounts"): _fixed(len(JobStatus)),
    ("Query", "jobGroups"): _up_to("first"),
    ("Query", "timeline"): _buckets,
    ("Query", "timelineBy"): _series,
    ("Query", "suggest"): _suggestions,
    ("Query", "errorGroups"): _page,
    ("Query", "queues"): _queues,
    ("Query", "workers"): _fixed(MAX_WORKERS),
    ("Query", "sources"): _fixed(MAX_SOURCES),
    ("Source", "jobs"): _page,
    ("Job", "events"): _page,
    ("Job", "attempts"): _up_to("last"),
    ("Job", "children"): _page,
    ("Batch", "jobs"): _page,
    ("Batch", "statusCounts"): _fixed(len(JobStatus)),
    ("JobGroup", "statusCounts"): _fixed(len(JobStatus)),
    ("Mutation", "createJobs"): _items("input", lambda _limits: MAX_BATCH),
    ("Mutation", "transitionJobs"): _items("input", lambda _limits: MAX_TRANSITIONS),
    ("Mutation", "recordFacts"): _items("facts", lambda _limits: MAX_FACTS),
    ("Mutation", "cancelJobs"): _limit,
    ("Mutation", "retryJobs"): _limit,
    ("Mutation", "deleteJobs"): _limit,
    ("BulkJobPayload", "skips"): _fixed(len(SkipReason) * len(JobStatus)),
    ("BulkJobPayload", "samples"): _fixed(SAMPLES),
    ("BulkDeletePayload", "skips"): _fixed(len(SkipReason) * len(JobStatus)),
    ("BulkDeletePayload", "samples"): _fixed(SAMPLES),
    ("Subscription", "statusCounts"): _fixed(len(JobStatus)),
}


@dataclass(frozen=True, slots=True)
class ListSizes:
    """The rules for how many objects a document of a schema could return.

    `sizes`: the sizes of lists by type and field. `inherited`: the fields that have the size of
    the list that they belong to. `counted`: the names of the types whose objects add to the cost.
    """

    sizes: Mapping[tuple[str, str], Sizing]
    inherited: frozenset[tuple[str, str]]
    counted: frozenset[str]


def list_sizes(schema: GraphQLSchema) -> ListSizes:
    """Return the rules for the schema of Joblens, including its introspection."""
    return ListSizes({**SIZES, **_introspection(schema)}, INHERITED, COUNTED)
