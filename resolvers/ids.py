"""Ids in their external form.

A job's is its UUID, an event's is `<job id>:<seq>`, a batch's is `batch:<name>`, an error group's
is `error-group:<UUID>`, and a source's is `source:<UUID>`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from db.limits import MAX_INT32
from db.validation import name_fault
from resolvers.errors import BadUserInputError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_SEQ = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)

# Ids begin with a time: shorter beginnings say little, and are found in other text.
MIN_ID_LENGTH = 8
_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)

EventId = tuple[UUID, int]

_ERROR_GROUP = "error-group"


class ErrorGroupId(NamedTuple):
    """The id of an error group."""

    uuid: UUID


class SourceId(NamedTuple):
    """The id of a source."""

    uuid: UUID


NodeId = UUID | EventId | ErrorGroupId | SourceId | str

_SOURCE = "source"
_BATCH = "batch:"


def parse_uuid(text: str) -> UUID | None:
    """Parse a UUID in the canonical form with hyphens; return None if it is malformed."""
    return UUID(text) if _UUID.fullmatch(text) else None


def ids_starting_with(text: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last UUID whose canonical form begins with the text, in any case.

    None if there are none, or if the text has fewer than MIN_ID_LENGTH characters.
    """
    if not MIN_ID_LENGTH <= len(text) <= len(str(_LAST)):
        return None
    ends = [parse_uuid(text + str(end)[len(text) :]) for end in (_FIRST, _LAST)]
    return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])


def parse_job_id(text: str) -> UUID:
    """Parse the id of a job. Raises BadUserInputError."""
    job_id = parse_uuid(text)
    if job_id is None:
        raise BadUserInputError("A job's id must be a UUID.")
    return job_id


def parse_job_ids(texts: Sequence[str]) -> list[UUID]:
    """Parse the ids of jobs. Raises BadUserInputError for the first malformed one."""
    return [parse_job_id(text) for text in texts]


def error_group_id(group_id: UUID) -> str:
    """Write the id of an error group."""
    return f"{_ERROR_GROUP}:{group_id}"


def parse_error_group_id(text: str) -> UUID:
    """Parse the id of an error group. Raises BadUserInputError."""
    kind, _, rest = text.partition(":")
    group_id = parse_uuid(rest)
    if kind != _ERROR_GROUP or group_id is None:
        raise BadUserInputError(f"An error group's id must be '{_ERROR_GROUP}:<UUID>'.")
    return group_id


def source_id(source: UUID) -> str:
    """Write the id of a source."""
    return f"{_SOURCE}:{source}"


def parse_source_id(text: str) -> UUID:
    """Parse the id of a source. Raises BadUserInputError."""
    kind, _, rest = text.partition(":")
    parsed = parse_uuid(rest)
    if kind != _SOURCE or parsed is None:
        raise BadUserInputError(f"A source's id must be '{_SOURCE}:<UUID>'.")
    return parsed


def batch_id(name: str) -> str:
    """Return the id of a batch."""
    return f"{_BATCH}{name}"


def parse_node_id(text: str) -> NodeId:
    """Parse the id of a job, an event, an error group, a source, or a batch: its name.

    Raises BadUserInputError.
    """
    if text.startswith(_BATCH):
        return _batch_name(text.removeprefix(_BATCH))
    first, colon, seq = text.partition(":")
    if first == _ERROR_GROUP:
        return ErrorGroupId(parse_error_group_id(text))
    if first == _SOURCE:
        return SourceId(parse_source_id(text))
    job_id = parse_uuid(first)
    if job_id is None or (colon and not _is_seq(seq)):
        raise BadUserInputError(
            "An id must be a job's UUID, '<job id>:<seq>' for an event, 'batch:<name>' for a "
            f"batch, '{_ERROR_GROUP}:<UUID>' for an error group, or '{_SOURCE}:<UUID>' for a "
            "source."
        )
    return (job_id, int(seq)) if colon else job_id


def _batch_name(name: str) -> str:
    if (fault := name_fault(name)) is not None:
        raise BadUserInputError(f"The name of a batch: {fault}")
    return name


def _is_seq(text: str) -> bool:
    return bool(_SEQ.fullmatch(text)) and int(text) <= MAX_INT32
