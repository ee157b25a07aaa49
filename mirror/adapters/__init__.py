"""Adapters: one module a queue, which makes facts of the rows of a job."""

from collections.abc import Mapping
from types import MappingProxyType

from mirror.adapters import (
    chancy,
    django_tasks,
    good_job,
    graphile_worker,
    oban,
    pg_boss,
    pg_queuer,
    procrastinate,
    river,
    solid_queue,
)
from mirror.adapters.adapter import Adapter, Row, Rows, Table

ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        module.ADAPTER.kind: module.ADAPTER
        for module in (
            procrastinate,
            river,
            oban,
            good_job,
            solid_queue,
            pg_boss,
            graphile_worker,
            pg_queuer,
            chancy,
            django_tasks,
        )
    }
)

__all__ = ["ADAPTERS", "Adapter", "Row", "Rows", "Table"]
