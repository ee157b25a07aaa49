"""The caches of a process, by the names that they have in metrics."""

from collections.abc import Mapping

from db.cache_figures import CacheFigures
from db.statements import template_figures
from schema.execution.documents import Rules, cost_figures, document_figures, plan_figures
from server.auth.credentials import Authenticator


class Caches:
    """The caches of a process: those of its application, and those that are the process's own."""

    def __init__(self, rules: Rules, authenticator: Authenticator) -> None:
        self._documents, self._authenticator = rules.documents, authenticator

    def figures(self) -> Mapping[str, CacheFigures]:
        """Return the figures of each cache."""
        return {
            "credentials": self._authenticator.cache,
            "documents": document_figures(),
            "automatic_documents": self._documents.automatic,
            "costs": cost_figures(),
            "plans": plan_figures(),
            "statements": template_figures(),
        }
