"""The fields that a query selects below a resolver's field, and the columns they need.

Applies fragments, `@skip` and `@include`.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, cast

import strawberry
from graphql import (
    FieldNode,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    is_union_type,
)

from db.queries.attempts import DETAILS
from db.queries.written import EVENT_LEAVES, Leaves, Members
from resolvers.context import Context
from resolvers.paging import PageNeeds
from schema.execution.fields import needs, python_name
from schema.execution.infos import PlannedInfo
from schema.selected_fields import is_included, selected_fields

Info = strawberry.Info[Context, None]
Fields = Mapping[str, list[FieldNode]]

T = TypeVar("T")

# A fragment on one of these may apply to any type that implements it.
INTERFACES = ("Node", "UserError")

# The fields of mutation results that are jobs.
RESULT_JOBS: Mapping[str, tuple[str, ...]] = {
    "JobPayload": ("job",),
    "CreateJobPayload": ("job",),
    "CreateJobsPayload": ("jobs",),
    "BulkJobPayload": ("jobs",),
    "IllegalTransition": ("job",),
    "ReadOnlyJob": ("job",),
    "IdempotencyConflict": ("existing",),
}


class Selections:
    """The selections below the field that is being resolved."""

    def __init__(self, info: Info) -> None:
        self._info: GraphQLResolveInfo[Context] = info._raw_info  # noqa: SLF001 - Strawberry has no other way
        self.nodes: list[FieldNode] = self._info.field_nodes
        # The executor passes a plain dict.
        self._variables = cast("dict[str, Any]", self._info.variable_values)

    def fields(self, nodes: Iterable[FieldNode], type_name: str) -> Fields:
        """Collect the fields that these nodes select on an object of this type."""
        return _grouped(self._selected(nodes, type_name), lambda field: field.name.value)

    def _response_fields(self, nodes: Iterable[FieldNode], type_name: str) -> Fields:
        """Collect the same fields by the names that they have in the response, in its order."""
        selected = self._selected(nodes, type_name)
        return _grouped(selected, lambda field: (field.alias or field.name).value)

    def _selected(self, nodes: Iterable[FieldNode], type_name: str) -> Iterator[FieldNode]:
        matching = _conditions(self._info.schema, type_name)
        return selected_fields(
            [node.selection_set for node in nodes if node.selection_set],
            self._info.fragments,
            includes=lambda selection: is_included(selection, self._variables),
            applies=lambda fragment: (
                fragment.type_condition is None or fragment.type_condition.name.value in matching
            ),
        )

    def _page_needs(self, fields: Fields, edge_type: str) -> PageNeeds:
        info = self.fields(fields.get("pageInfo", ()), "PageInfo")
        ends = any(name in info for name in ("startCursor", "endCursor"))
        return PageNeeds(
            rows=ends or any(name in fields for name in ("nodes", "edges")),
            cursors=ends or "cursor" in self.fields(fields.get("edges", ()), edge_type),
            more_after="hasNextPage" in info,
            more_before="hasPreviousPage" in info,
        )

    def _page_nodes(self, fields: Fields, edge_type: str) -> list[FieldNode]:
        by_edge = self.fields(fields.get("edges", ()), edge_type).get("node", [])
        return [*fields.get("nodes", []), *by_edge]

    def job(self) -> frozenset[str]:
        """Return the columns of `job` that the selected Job needs."""
        return self.job_columns(self.nodes)

    def event(self) -> frozenset[str]:
        """Return the columns of `job_event` that the selected JobEvent needs."""
        return self.event_columns(self.nodes)

    def job_columns(self, nodes: Iterable[FieldNode]) -> frozenset[str]:
        """Return the columns of `job` that the selected fields of a Job need.

        Includes those selected through its events' `job`, so that the job is not read again.
        """
        fields = self.fields(nodes, "Job")
        columns = self._columns(fields, "Job")
        connection = self.fields(fields.get("events", ()), "JobEventConnection")
        events = [*self._page_nodes(connection, "JobEventEdge"), *fields.get("latestEvent", [])]
        via_events = self.fields(events, "JobEvent").get("job", [])
        return columns | self.job_columns(via_events) if via_events else columns

    def event_columns(self, nodes: Iterable[FieldNode]) -> frozenset[str]:
        """Return the columns of `job_event` that the selected fields of a JobEvent need."""
        return self._columns(self.fields(nodes, "JobEvent"), "JobEvent")

    def written_jobs(self) -> frozenset[str]:
        """Return the columns of `job` that the result of a mutation needs, for any of its types."""
        nodes: list[FieldNode] = []
        # The result of `transitionJobs` has results of its own.
        results = self.fields(self.nodes, "TransitionJobsPayload").get("results", [])
        for type_name, fields in RESULT_JOBS.items():
            found = self.fields([*self.nodes, *results], type_name)
            nodes += [node for name in fields for node in found.get(name, [])]
        return self.job_columns(nodes)

    def job_page(self) -> tuple[PageNeeds, frozenset[str]]:
        """Return what the selected JobConnection needs: of the page, and of each job."""
        fields = self.fields(self.nodes, "JobConnection")
        columns = self.job_columns(self._page_nodes(fields, "JobEdge"))
        return self._page_needs(fields, "JobEdge"), columns

    def error_group_page(self) -> PageNeeds:
        """Return what the selected ErrorGroupConnection needs of the page."""
        fields = self.fields(self.nodes, "ErrorGroupConnection")
        return self._page_needs(fields, "ErrorGroupEdge")

    def event_page(self) -> tuple[PageNeeds, frozenset[str]]:
        """Return what the selected JobEventConnection needs: of the page, and of each event."""
        fields = self.fields(self.nodes, "JobEventConnection")
        nodes = self._page_nodes(fields, "JobEventEdge")
        return self._page_needs(fields, "JobEventEdge"), self.event_columns(nodes)

    def written_events(self) -> Members | None:
        """Return the members of the selected JobEvents if PostgreSQL can write them.

        None if the page's rows are selected by anything but one field `nodes`, or anything of an
        event that is not written.
        """
        page = self._response_fields(self.nodes, "JobEventConnection")
        nodes = [field for field in page.values() if field[0].name.value == "nodes"]
        selected = {field[0].name.value for field in page.values()}
        if len(nodes) != 1 or selected - {"nodes", "count", "__typename"}:
            return None
        type_: Any = self._info.schema.get_type("JobEvent")
        names: list[str] = []
        pieces = ["{"]
        for key, (field, *_) in self._response_fields(nodes[0], "JobEvent").items():
            name = field.name.value
            if name in type_.fields:
                name = python_name(type_.fields[name])
            leaf = EVENT_LEAVES.get(name)
            if leaf is None:
                return None
            pieces[-1] += f'{"," if names else ""}"{key}":{leaf.before}'
            names.append(name)
            pieces.append(leaf.after)
        pieces[-1] += "}"
        return Members(Leaves(tuple(names)), tuple(pieces))

    def event_edge(self) -> frozenset[str]:
        """Return the columns of `job_event` that the selected JobEventEdge needs."""
        return self.event_columns(self.fields(self.nodes, "JobEventEdge").get("node", []))

    def attempt_details(self) -> frozenset[str]:
        """Return the keys of details that the selected JobAttempt needs."""
        fields = self.fields(self.nodes, "JobAttempt")
        return self._columns(fields, "JobAttempt").intersection(DETAILS)

    def _columns(self, fields: Fields, type_name: str) -> frozenset[str]:
        """Return the attributes of objects of a type that these fields read."""
        type_: Any = self._info.schema.get_type(type_name)
        return frozenset().union(
            *(needs(type_.fields[name]) for name in fields if name in type_.fields)
        )


def written_events(info: Info) -> Members | None:
    """Return Selections.written_events for a compiled operation, None for others.

    Only Run completes WrittenRows.
    """
    return selected(info, Selections.written_events) if isinstance(info, PlannedInfo) else None


def selected(info: Info, read: Callable[[Selections], T]) -> T:
    """Read the selections below a field, once for all objects that it is resolved on."""
    if isinstance(info, PlannedInfo):
        # The selections are part of the plan, and so is what is read of them.
        key: Hashable = read
        cache: dict[Hashable, T] = info.selected
    else:
        key = (read, *map(id, info._raw_info.field_nodes))  # noqa: SLF001 - as above
        cache = info.context.selected
    if key not in cache:
        cache[key] = read(Selections(info))
    return cache[key]


@cache
def _conditions(schema: GraphQLSchema, type_name: str) -> frozenset[str]:
    """Return the types on which a fragment applies to objects of this type."""
    type_ = cast("GraphQLObjectType", schema.get_type(type_name))
    unions = (each for each in schema.type_map.values() if is_union_type(each))
    of_them = (each.name for each in unions if schema.is_sub_type(each, type_))
    return frozenset((type_name, *INTERFACES, *of_them))


def _grouped(fields: Iterable[FieldNode], name: Callable[[FieldNode], str]) -> Fields:
    groups: dict[str, list[FieldNode]] = {}
    for field in fields:
        groups.setdefault(name(field), []).append(field)
    return groups
