"""Facts: what was observed of jobs that another system runs, and what they add up to."""

from db.facts.fact import Fact
from db.facts.ids import job_id_of
from db.facts.record import FactFault, Recorded, record_facts
from db.facts.sources import (
    Source,
    TooManySourcesError,
    ensure_source,
    list_sources,
    load_sources,
)

__all__ = [
    "Fact",
    "FactFault",
    "Recorded",
    "Source",
    "TooManySourcesError",
    "ensure_source",
    "job_id_of",
    "list_sources",
    "load_sources",
    "record_facts",
]
