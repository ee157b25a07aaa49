"""The fields of an import record, with their types and limits.

db.transfer.histories fills in missing values and checks consistency.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from db.error_texts import storable_code, storable_message
from db.limits import MAX_INT32, MAX_NAME_LENGTH, MAX_TAGS, MIN_INT32
from db.statuses import BackoffPolicy, JobStatus
from db.times import NoSuchTimeError, parse_time
from db.transfer import json_text
from db.transfer.json_text import RecordError

_MAX_FAULTS = 5


def _time(value: object) -> datetime:
    try:
        return parse_time(value)
    except NoSuchTimeError:
        raise PydanticCustomError("time", "is not a time of the years 0001 to 9999") from None
    except ValueError:
        raise PydanticCustomError("time", "is not an RFC 3339 time with an offset") from None


def _made_storable(convert: Callable[[str], str | None]) -> BeforeValidator:
    return BeforeValidator(lambda value: convert(value) if isinstance(value, str) else value)


def _distinct(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise PydanticCustomError("distinct", "has an item twice")
    return value


def _id(value: object) -> UUID:
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise PydanticCustomError("id", "is not a UUID") from None


Id = Annotated[UUID, BeforeValidator(_id)]
Time = Annotated[datetime, BeforeValidator(_time)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_LENGTH)]
Label = Annotated[str, Field(max_length=MAX_NAME_LENGTH)]
Status = Annotated[JobStatus, Field(strict=False)]
Tags = Annotated[list[Name], Field(max_length=MAX_TAGS), AfterValidator(_distinct)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EventRecord(_Strict):
    ts: Time
    prev_status: Status | None = None
    next_status: Status
    attempt: Annotated[int, Field(ge=0, le=MAX_INT32)] | None = None
    detail: Any = None


class JobRecord(_Strict):
    """A job with its history. Times are in UTC; digits beyond microseconds are cut off."""

    id: Id | None = None
    type: Name
    queue: Name | None = None
    status: Status
    priority: Annotated[int, Field(ge=MIN_INT32, le=MAX_INT32)] | None = None
    attempt: Annotated[int, Field(ge=0, le=MAX_INT32)] | None = None
    max_attempts: Annotated[int, Field(ge=1, le=MAX_INT32)] | None = None
    backoff_policy: Annotated[BackoffPolicy, Field(strict=False)] | None = None
    idempotency_key: Name | None = None
    requested_by: Label | None = None
    parent_id: Id | None = None
    batch: Name | None = None
    tags: Tags | None = None
    payload: Any = None
    result: Any = None
    last_error_code: Annotated[str | None, _made_storable(storable_code)] = None
    last_error_message: Annotated[str | None, _made_storable(storable_message)] = None
    created_at: Time
    scheduled_at: Time | None = None
    started_at: Time | None = None
    finished_at: Time | None = None
    worker: Name | None = None
    events: list[EventRecord] | None = None


def parse(line: bytes) -> tuple[dict[str, Any], JobRecord]:
    """Parse one line to its JSON object and its validated fields.

    Raises RecordError with a reason for each invalid field, up to a limit.
    """
    raw = json_text.load(line)
    if not isinstance(raw, dict):
        raise RecordError("the line is not a JSON object")
    try:
        return raw, JobRecord.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise RecordError("; ".join(_describe(fault) for fault in faults[:_MAX_FAULTS])) from None


def _describe(fault: ErrorDetails) -> str:
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in fault["loc"])
    return f"{field[1 : MAX_NAME_LENGTH + 1]}: {_reason(fault)}"


def _reason(fault: ErrorDetails) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return "is not a field of a record"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters"
        case "too_long":
            return f"has more than {context['max_length']} items"
        case "string_too_short":
            return "is empty"
        case _:
            return fault["msg"].replace("Input should be", "must be")
