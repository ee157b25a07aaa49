"""Parses, limits and validates documents. Those of frequent requests are cached."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakSet

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    validate,
    value_from_ast_untyped,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from db.cache_figures import CacheCounts, CacheFigures
from resolvers.errors import ErrorCode, JoblensError
from schema.execution import plan_cache
from schema.execution.error_format import format_error, format_graphql_error
from schema.execution.models import ExecutableSchema
from schema.execution.parsing import parse
from schema.execution.persisted_documents import Documents
from schema.execution.plan_cache import CACHED_PLANS, PlanCache
from schema.limits.costs import CostPlan
from schema.limits.document_limits import DocumentLimits, LimitError
from schema.limits.document_metrics import DocumentMetrics, measure
from schema.limits.input_sizes import InputSizes

# A parsed document takes nearly 200 times the memory of its text: these may take 150 MB.
CACHED_DOCUMENTS = 200
CACHED_DOCUMENT_CHARACTERS = 4_096
MAX_ERRORS = 20
TOO_DEEP = "The document is nested too deeply."

# graphql-core compares fields of the same name in pairs, up to a budget; within the limit on tokens
# that takes two seconds. A tenth of its default is still far above what real queries need.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """The schema that clients may query, by which documents, and how much of it at once.

    `compiles`: whether operations are compiled, or run by graphql-core's executor.
    """

    schema: ExecutableSchema
    limits: DocumentLimits = field(default_factory=DocumentLimits)
    introspection: bool = True
    documents: Documents = field(default_factory=Documents)
    compiles: bool = True


@dataclass(slots=True, eq=False, weakref_slot=True)
class Document:
    """A valid document, with what was computed for its operations."""

    node: DocumentNode
    metrics: DocumentMetrics
    schema: ExecutableSchema
    limits: DocumentLimits
    plans: PlanCache = field(default_factory=PlanCache)
    _cost_plans: dict[tuple[object, ...], CostPlan] = field(default_factory=dict)
    _variables: dict[int, tuple[InputSizes, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _documents.add(self)

    def cost(self, operation: OperationDefinitionNode, given: Mapping[str, Any]) -> int:
        """Compute what an operation costs with these variables.

        Raises LimitError where that is beyond the limit, or where too much is given in them.
        """
        known = self._variables.get(id(operation))
        if known is None:
            known = self._variables[id(operation)] = (
                InputSizes(operation, self.schema.definition),
                _defaults(operation),
            )
        inputs, defaults = known
        declared = {name: given[name] for name in inputs.types if name in given}
        variables = {**defaults, **declared}
        conditions = {name: bool(variables.get(name)) for name in self.metrics.conditions}
        plan = self._cost_plan(operation, conditions)
        inputs.check(declared, plan.input_size, self.limits)
        return plan.cost(variables)

    @property
    def cost_plans(self) -> int:
        """For how many combinations of operations and conditions costs are kept."""
        return len(self._cost_plans)

    def _cost_plan(
        self, operation: OperationDefinitionNode, conditions: dict[str, bool]
    ) -> CostPlan:
        key = (id(operation), *conditions.values())
        plan = self._cost_plans.get(key)
        if plan is not None:
            _cost_counts.hits += 1
        else:
            _cost_counts.misses += 1
            fragments = {
                definition.name.value: definition
                for definition in self.node.definitions
                if isinstance(definition, FragmentDefinitionNode)
            }
            plan = CostPlan(
                operation,
                fragments,
                conditions,
                self.limits,
                self.schema.definition,
                self.schema.list_sizes,
            )
            if len(self._cost_plans) < CACHED_PLANS:
                self._cost_plans[key] = plan
        return plan


# Those in memory: the ones that are kept, and those of running requests.
_documents: WeakSet[Document] = WeakSet()
_cost_counts = CacheCounts()

Reading = tuple[Document | None, list[dict[str, Any]]]


def read(text: str, rules: Rules, *, trusted: bool) -> Reading:
    """Parse and validate a document. Returns errors instead if it cannot be run.

    A trusted (registered) document may be of any size. Its cost depends on the request, and is
    bounded in any case.
    """
    short = len(text) <= CACHED_DOCUMENT_CHARACTERS
    return (_read_cached if short else _read)(text, rules, trusted)


def _read(text: str, rules: Rules, trusted: bool) -> Reading:
    try:
        node = parse(text, None if trusted else rules.limits.max_tokens)
        metrics = measure(node, None if trusted else rules.limits)
        errors = _validate(node, metrics, rules)
    except JoblensError as error:
        return None, [format_error(error)]
    except GraphQLSyntaxError as error:
        return None, [format_graphql_error(error, ErrorCode.GRAPHQL_PARSE_FAILED)]
    except RecursionError:
        return None, [format_error(JoblensError(ErrorCode.GRAPHQL_PARSE_FAILED, TOO_DEEP))]
    if errors:
        return None, [
            format_graphql_error(error, ErrorCode.GRAPHQL_VALIDATION_FAILED) for error in errors
        ]
    return Document(node, metrics, rules.schema, rules.limits), []


_read_cached = lru_cache(maxsize=CACHED_DOCUMENTS)(_read)


def document_figures() -> CacheFigures:
    """Return the figures of the documents that are kept parsed."""
    info = _read_cached.cache_info()
    return CacheFigures(info.currsize, info.hits, info.misses)


def cost_figures() -> CacheFigures:
    """Return the figures of what documents keep to compute costs."""
    return _cost_counts.figures(sum(each.cost_plans for each in _documents))


def plan_figures() -> CacheFigures:
    """Return the figures of what documents keep to run operations."""
    return plan_cache.COUNTS.figures(sum(len(each.plans) for each in _documents))


def _validate(node: DocumentNode, metrics: DocumentMetrics, rules: Rules) -> list[GraphQLError]:
    if metrics.introspects and not rules.introspection:
        message = "Introspection is switched off here."
        raise JoblensError(ErrorCode.INTROSPECTION_DISABLED, message)
    errors = validate(
        rules.schema.definition,
        node,
        max_errors=MAX_ERRORS,
        hide_suggestions=not rules.introspection,
    )
    aborted = errors and isinstance(errors[-1], ValidationAbortedError)
    if aborted and len(errors) <= MAX_ERRORS:
        # Aborted because of the number of pairs to compare, not because of errors.
        words = "The document has too many fields to merge, or fragments nested too deeply."
        raise LimitError(ErrorCode.LIMIT_EXCEEDED, words, limit="overlaps")
    return errors


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
