"""What processes have used so far: memory, and processor time, by Linux' /proc."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# Where they stand in /proc/PID/stat, counted from what follows the command's name.
_PARENT, _USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM = 1, 11, 12, 13, 14


@dataclass(slots=True)
class Usage:
    """Processor time, in seconds: of a server, and of PostgreSQL meanwhile."""

    server_seconds: float = 0.0
    database_seconds: float = 0.0

    @contextmanager
    def of_database(self, postmaster: int) -> Iterator[None]:
        """Add the processor time that PostgreSQL takes meanwhile."""
        before = database_cpu_seconds(postmaster)
        yield
        self.database_seconds += database_cpu_seconds(postmaster) - before


def peak_memory(pid: int) -> int:
    """Get the most bytes that a process has had in memory at once."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has no VmHWM")


def cpu_seconds(pid: int) -> float:
    """Get the processor time of a process and of all its threads."""
    return _seconds(_stat(pid), _USER, _SYSTEM)


def cpu_nanoseconds(pid: int) -> int:
    """Get the same exactly: short stretches take few of the kernel's ticks."""
    # The clock of another process, as clock_getcpuclockid() makes it of its id.
    return time.clock_gettime_ns(~pid << 3 | 2)


def database_cpu_seconds(postmaster: int) -> float:
    """Get the processor time of PostgreSQL: its processes that run, and those that have ended."""
    own = _seconds(_stat(postmaster), _USER, _SYSTEM, _ENDED_USER, _ENDED_SYSTEM)
    return own + sum(_of_children(postmaster))


def _of_children(parent: int) -> Iterator[float]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = _stat(int(folder.name))
        except OSError:
            # It has ended meanwhile.
            continue
        if int(stat[_PARENT]) == parent:
            yield _seconds(stat, _USER, _SYSTEM)


def _stat(pid: int) -> list[str]:
    # A command's name may hold spaces and parentheses.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _seconds(stat: list[str], *places: int) -> float:
    return sum(int(stat[place]) for place in places) / _TICKS_PER_SECOND
