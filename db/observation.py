"""What an engine reports of its statements to whoever observes it; without observers, nothing.

The reports are SQLAlchemy's events, which the statements of db.statements cause too.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

# Called when a statement ends, with its error or None.
Ended = Callable[[BaseException | None], None]
# Called when a statement begins, with its text; it has no values.
Began = Callable[[Connection, str], Ended]

# The attribute of a statement's context.
_ENDED = "joblens_ended"


def observe_statements(engine: AsyncEngine, began: Began) -> None:
    """Report each statement of the engine, but those that begin and end transactions."""

    def before(
        connection: Connection, _cursor: Any, sql: str, _values: Any, context: Any, _many: bool
    ) -> None:
        if context is not None:
            setattr(context, _ENDED, began(connection, sql))

    def after(
        _connection: Connection, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool
    ) -> None:
        end_statement(context, None)

    def failed(failure: ExceptionContext) -> None:
        end_statement(failure.execution_context, failure.original_exception)

    event.listen(engine.sync_engine, "before_cursor_execute", before)
    event.listen(engine.sync_engine, "after_cursor_execute", after)
    event.listen(engine.sync_engine, "handle_error", failed)


def end_statement(context: Any, error: BaseException | None) -> None:
    """Report the end of a statement that began, unless that was reported."""
    ended: Ended | None = getattr(context, _ENDED, None)
    if ended is not None:
        setattr(context, _ENDED, None)
        ended(error)
