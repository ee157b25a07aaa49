"""Runs mirrors in the foreground, with a bar for each that copies what there is."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from db.session_scope import create_worker_engine
from mirror.runner import Runner, Step


async def follow(url: str, org_id: UUID, names: Sequence[str], *, once: bool) -> None:
    """Run the mirrors with these names until they end, or until SIGINT or SIGTERM."""
    engine = create_worker_engine(url)
    with _bars() as bars:
        on_step = _shown_in(bars)
        runners = [Runner(engine, url, org_id, name, once=once, on_step=on_step) for name in names]
        tasks = [asyncio.create_task(runner.run()) for runner in runners]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, lambda: [task.cancel() for task in tasks])
        try:
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
        finally:
            await engine.dispose()


def _bars() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} jobs"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _shown_in(bars: Progress) -> Callable[[Step], None]:
    tasks: dict[str, TaskID] = {}

    def show(step: Step) -> None:
        if step.is_done:
            if (task := tasks.pop(step.name, None)) is not None:
                bars.remove_task(task)
            return
        if step.name not in tasks:
            tasks[step.name] = bars.add_task(step.name, total=step.estimate or None)
        bars.update(tasks[step.name], completed=step.backfilled)

    return show
