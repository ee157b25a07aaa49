"""Progress: how much of its run a job has done."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from db.validation import fraction_fault, name_fault

# The key of the progress in an event's detail.
PROGRESS = "progress"


@dataclass(frozen=True, slots=True)
class Progress:
    """The share of the run that is done, from 0 to 1, and the name of what is done now."""

    fraction: float
    step: str | None = None

    @property
    def faults(self) -> dict[str, str | None]:
        """Why its values are invalid, by their names."""
        return {"fraction": fraction_fault(self.fraction), "step": name_fault(self.step)}

    @property
    def detail(self) -> dict[str, float | str]:
        """What the detail of its event says."""
        step = {} if self.step is None else {"step": self.step}
        return {"fraction": float(self.fraction), **step}


def progress_of(detail: Any) -> Progress | None:
    """Read the progress in the detail of an event; None if there is no valid one."""
    told = detail.get(PROGRESS) if isinstance(detail, dict) else None
    if not isinstance(told, dict) or not told.keys() <= {"fraction", "step"}:
        return None
    fraction, step = told.get("fraction"), told.get("step")
    if not isinstance(fraction, int | float | Decimal) or not isinstance(step, str | None):
        return None
    progress = Progress(float(fraction), step)
    is_valid = not isinstance(fraction, bool) and not any(progress.faults.values())
    return progress if is_valid else None
