"""The plans of one document's operations."""

from collections.abc import Callable, Hashable

from schema.execution.compiling import NotCompilableError
from schema.execution.plans import Plan

# For how many combinations of its operations, conditions and viewers a document's plans are kept.
CACHED_PLANS = 16


class PlanCache:
    """Compiles each operation of a document once for each combination of what it depends on."""

    def __init__(self) -> None:
        self._plans: dict[Hashable, Plan | NotCompilableError] = {}

    def get(self, key: Hashable, compile_: Callable[[], Plan]) -> Plan:
        """Return the plan of a key, and compile it at first. Raises NotCompilableError."""
        found = self._plans.get(key)
        if found is None:
            try:
                found = compile_()
            except NotCompilableError as error:
                found = error.with_traceback(None)
            if len(self._plans) < CACHED_PLANS:
                self._plans[key] = found
        if isinstance(found, NotCompilableError):
            raise found
        return found
