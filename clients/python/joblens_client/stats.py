"""Stats: how many facts were recorded, and what became of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stats:
    """What this process has recorded. `sent`: taken by Joblens, whether or not it knew them.

    `dropped`: not sent, because too many waited or they waited for too long. `rejected`: refused by
    Joblens. `faulty`: could not be made, such as by an error in `hide`. `waiting`: not sent yet.
    """

    sent: int = 0
    dropped: int = 0
    rejected: int = 0
    faulty: int = 0
    waiting: int = 0
