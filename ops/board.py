"""Writes ops/grafana/joblens.json, the Grafana board: `python -m ops.board`, or `make docs`."""

import json
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "grafana" / "joblens.json"
WIDTH, HEIGHT, COLUMNS = 8, 7, 3
INSTANCE = '{instance=~"$instance"}'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


class Panel(NamedTuple):
    """A chart: its title, its unit, and its lines, by what Grafana writes of their labels."""

    title: str
    unit: str
    lines: dict[str, str]


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}{INSTANCE}[$__rate_interval]))"


def _quantile(share: float, metric: str, by: str = "") -> str:
    labels = ", ".join(each for each in ("le", by) if each)
    return f"histogram_quantile({share}, {_rate(f'{metric}_bucket', labels)})"


def _sum(metric: str, by: str = "") -> str:
    return f"sum by ({by}) ({metric}{INSTANCE})" if by else f"sum({metric}{INSTANCE})"


def _max(metric: str, by: str = "") -> str:
    return f"max by ({by}) ({metric}{INSTANCE})" if by else f"max({metric}{INSTANCE})"


def _mean(part: str) -> str:
    name = f"joblens_operation_{part}_seconds"
    return f"{_rate(f'{name}_sum', 'job')} / {_rate(f'{name}_count', 'job')}"


def _hits() -> str:
    hits = _rate("joblens_cache_hits_total", "cache")
    return f"{hits} / ({hits} + {_rate('joblens_cache_misses_total', 'cache')})"


ROWS: dict[str, list[Panel]] = {
    "Operations": [
        Panel(
            "Operations",
            "ops",
            {"{{type}} {{code}}": _rate("joblens_operations_total", "type, code")},
        ),
        Panel(
            "Duration",
            "s",
            {
                f"{{{{type}}}} p{round(share * 100)}": _quantile(
                    share, "joblens_operation_seconds", "type"
                )
                for share in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Where the time goes, on average",
            "s",
            {part: _mean(part) for part in ("sql", "wait", "executor")},
        ),
        Panel("Errors", "ops", {"{{code}}": _rate("joblens_errors_total", "code")}),
        Panel(
            "Registered operations",
            "ops",
            {"{{operation}}": _rate("joblens_operations_total", "operation")},
        ),
        Panel(
            "Cost",
            "short",
            {
                "points of {{type}}": _rate("joblens_cost_points_total", "type"),
                "refused": _rate("joblens_rate_refusals_total", "job"),
            },
        ),
    ],
    "PostgreSQL": [
        Panel("Statements", "ops", {"{{outcome}}": _rate("joblens_statements_total", "outcome")}),
        Panel(
            "Duration of statements",
            "s",
            {
                f"p{round(share * 100)}": _quantile(share, "joblens_statement_seconds")
                for share in (0.5, 0.95, 0.99)
            },
        ),
        Panel(
            "Connections",
            "short",
            {
                "{{state}}": _sum("joblens_pool_connections", "state"),
                "size": _sum("joblens_pool_size"),
                "overflow": _sum("joblens_pool_overflow"),
                "waiting requests": _sum("joblens_pool_waiting"),
            },
        ),
    ],
    "Live updates": [
        Panel(
            "Subscribers",
            "short",
            {
                "subscriptions": _sum("joblens_subscribers"),
                "connections": _sum("joblens_connections"),
                "organisations read": _sum("joblens_feeds"),
            },
        ),
        Panel(
            "Events",
            "ops",
            {
                "read": _rate("joblens_live_events_total", "job"),
                "responses": _rate("joblens_deliveries_total", "job"),
            },
        ),
        Panel(
            "Lag",
            "s",
            {
                "p50": _quantile(0.5, "joblens_live_event_lag_seconds"),
                "p99": _quantile(0.99, "joblens_live_event_lag_seconds"),
                "oldest feed": _max("joblens_feed_lag_seconds"),
                "replica": _max("joblens_replica_lag_seconds"),
            },
        ),
        Panel(
            "Waiting events",
            "short",
            {
                "all": _sum("joblens_subscriber_queue_events"),
                "of one subscriber": _max("joblens_subscriber_queue_events_max"),
            },
        ),
    ],
    "Background": [
        Panel("Sums", "s", {"lag": _max("joblens_tally_lag_seconds")}),
        Panel(
            "Tasks",
            "ops",
            {
                "{{task}}": _rate("joblens_background_runs_total", "task"),
                "{{task}} failed": _rate("joblens_background_failures_total", "task"),
                "pruned jobs": _rate("joblens_pruned_jobs_total", "job"),
            },
        ),
        Panel(
            "Mirrors",
            "s",
            {"{{source}}": _max("joblens_mirror_lag_seconds", "source")},
        ),
        Panel(
            "Log held by slots",
            "bytes",
            {"{{source}}": _max("joblens_mirror_held_bytes", "source")},
        ),
    ],
    "Processes": [
        Panel(
            "Processes",
            "short",
            {
                "processes": _sum("joblens_processes"),
                "operations that run": _sum("joblens_operations_running"),
            },
        ),
        Panel(
            "Caches and fallbacks",
            "short",
            {
                "{{cache}}": _sum("joblens_cache_entries", "cache"),
                "fallbacks: {{reason}}": _rate("joblens_engine_fallbacks_total", "reason"),
            },
        ),
        Panel("Share of hits of caches", "percentunit", {"{{cache}}": _hits()}),
    ],
    "The ledger": [
        Panel(
            "Jobs",
            "short",
            {"{{organisation}} {{status}}": _max("joblens_ledger_jobs", "organisation, status")},
        ),
        Panel(
            "Oldest due job",
            "s",
            {"{{organisation}}": _max("joblens_ledger_oldest_due_seconds", "organisation")},
        ),
        Panel(
            "Failures in five minutes",
            "short",
            {"{{organisation}}": _max("joblens_ledger_failures", "organisation")},
        ),
    ],
}


def board() -> dict[str, Any]:
    """Make the board."""
    return {
        "uid": "joblens",
        "title": "Joblens",
        "tags": ["joblens"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "time": {"from": "now-3h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_data_source(), _instances()]},
        "panels": _panels(),
    }


def _data_source() -> dict[str, Any]:
    return {
        "name": "datasource",
        "type": "datasource",
        "query": "prometheus",
        "label": "Data source",
    }


def _instances() -> dict[str, Any]:
    return {
        "name": "instance",
        "label": "Instance",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": "label_values(joblens_processes, instance)", "refId": "instances"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": "All", "value": "$__all"},
    }


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        place = {"x": 0, "y": y, "w": WIDTH * COLUMNS, "h": 1}
        panels.append({"id": len(panels) + 1, "type": "row", "title": title, "gridPos": place})
        y += 1
        for index, panel in enumerate(row):
            place = {"x": index % COLUMNS * WIDTH, "y": y + index // COLUMNS * HEIGHT}
            place |= {"w": WIDTH, "h": HEIGHT}
            panels.append(_panel(len(panels) + 1, panel, place))
        y += -(-len(row) // COLUMNS) * HEIGHT
    return panels


def _panel(id_: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
        for index, (legend, expr) in enumerate(panel.lines.items())
    ]
    return {
        "id": id_,
        "type": "timeseries",
        "title": panel.title,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def text() -> str:
    """Return the board as the file has it."""
    return json.dumps(board(), indent=2) + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
