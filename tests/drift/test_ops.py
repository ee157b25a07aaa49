"""ops/: the board is up to date, and what board and alerts name are metrics and settings."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops import board
from server.observability.catalogue import METRICS
from server.settings import Settings
from tests.support.checkout import ROOT

OPS = ROOT / "ops"
NAME = re.compile(r"\bjoblens_[a-z_]+\b")
HISTOGRAM = re.compile(r"_(bucket|sum|count)$")
VARIABLE = re.compile(r"\bJOBLENS_[A-Z_]+\b")
TEXTS = [each for each in sorted(OPS.rglob("*")) if each.is_file() and each.suffix != ".pyc"]


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((OPS / "prometheus" / "rules.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def expressions() -> list[str]:
    lines = [line for row in board.ROWS.values() for panel in row for line in panel.lines.values()]
    return [*lines, *(rule["expr"] for rule in rules())]


def named(expression: str) -> set[str]:
    return {
        name if name in METRICS else HISTOGRAM.sub("", name) for name in NAME.findall(expression)
    }


def test_the_board_is_up_to_date() -> None:
    assert board.FILE.read_text() == board.text(), "run `make docs`"


@pytest.mark.parametrize("expression", expressions())
def test_the_metrics_and_labels_of_an_expression_exist(expression: str) -> None:
    names = named(expression)
    assert names <= set(METRICS)
    if not names:
        assert expression == 'up{job="joblens"} == 0'
    labels = {label for name in names for label in METRICS[name].labels} | {"instance", "job", "le"}
    used = re.findall(r"by \(([^)]*)\)", expression)
    chosen = re.findall(r'(\w+)(?:=~|!=|=)"', expression)
    assert {each.strip() for part in used for each in part.split(",")} | {*chosen} <= labels


def test_the_board_shows_each_metric() -> None:
    shown = {name for expression in expressions() for name in named(expression)}
    # What describes the others.
    assert set(METRICS) - shown == {
        "joblens_info",
        "joblens_ledger_due_jobs",
        "joblens_ledger_read_seconds",
        "joblens_mirror_failing",
    }


def test_panels_do_not_overlap() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in json.loads(board.FILE.read_text())["panels"]:
        place = panel["gridPos"]
        own = {
            (place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])
        }
        assert not own & cells
        cells |= own
        assert place["x"] + place["w"] <= 24


def test_each_alert_says_what_and_what_then() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("file", TEXTS, ids=lambda path: str(path.relative_to(OPS)))
def test_settings_exist(file: Path) -> None:
    known = {f"JOBLENS_{name.upper()}" for name in Settings.model_fields}
    assert set(VARIABLE.findall(file.read_text())) <= known
