"""Facts: what was observed of jobs that another system runs, and what they add up to."""

from db.facts.fact import Fact
from db.facts.ids import job_id_of

__all__ = ["Fact", "job_id_of"]
