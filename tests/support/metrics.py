"""Metrics as a scraper reads them, by Prometheus's own parser for Python."""

from collections.abc import Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

TOKEN = "a-token-of-a-scraper"


class Sample(NamedTuple):
    """One line of them."""

    name: str
    labels: Mapping[str, str]
    value: float


class Scrape:
    """The metrics of one answer."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [
            Sample(each.name, each.labels, each.value)
            for family in self.families.values()
            for each in family.samples
        ]

    @property
    def names(self) -> set[str]:
        return {each.name for each in self.samples}

    def get(self, name: str, **labels: str) -> float:
        """Sum up the values of the samples that have these labels; 0 if there are none."""
        return sum(
            each.value
            for each in self.samples
            if each.name == name and labels.items() <= each.labels.items()
        )
