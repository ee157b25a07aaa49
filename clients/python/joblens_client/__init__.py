"""Tells Joblens what becomes of the jobs of a Python worker, whichever library runs them."""

from joblens_client.facts import Fact, Status
from joblens_client.recorder import Recorder
from joblens_client.stats import Stats

__all__ = ["Fact", "Recorder", "Stats", "Status"]
