"""The plans of one document's operations."""

from collections.abc import Callable, Hashable

from db.cache_figures import CacheCounts
from schema.execution.compiling import NotCompilableError
from schema.execution.plans import Plan

# For how many combinations of its operations, conditions and viewers a document's plans are kept,
# and how many fields these may have in all. A field takes 0.7 kB.
CACHED_PLANS = 16
CACHED_PLAN_FIELDS = 1_000

# Of all documents.
COUNTS = CacheCounts()


class PlanCache:
    """Compiles each operation of a document once for each combination of what it depends on."""

    def __init__(self) -> None:
        # Of what cannot be compiled the reason; a kept error would keep requests by its traceback.
        self._plans: dict[Hashable, Plan | str] = {}
        self._fields = 0

    def __len__(self) -> int:
        return len(self._plans)

    def get(self, key: Hashable, compile_: Callable[[], Plan]) -> Plan:
        """Return the plan of a key, and compile it at first. Raises NotCompilableError."""
        found = self._plans.get(key)
        if found is not None:
            COUNTS.hits += 1
        else:
            COUNTS.misses += 1
            found = self._compiled(key, compile_)
        if isinstance(found, str):
            raise NotCompilableError(found)
        return found

    def _compiled(self, key: Hashable, compile_: Callable[[], Plan]) -> Plan | str:
        made: Plan | str
        try:
            made = compile_()
            size = made.size
        except NotCompilableError as error:
            made, size = str(error), 0
        if len(self._plans) < CACHED_PLANS and self._fields + size <= CACHED_PLAN_FIELDS:
            self._plans[key] = made
            self._fields += size
        return made
