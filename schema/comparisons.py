"""The inputs that compare one value: text, numbers and times; and the checks of given values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET

from db.criteria import FloatCriteria, IntCriteria, TextCriteria, TimeCriteria
from db.validation import text_fault
from resolvers.errors import BadUserInputError

T = TypeVar("T")


def condition(description: str, name: str | None = None) -> Any:
    return strawberry.field(default=UNSET, name=name, description=description)


def optional(value: T | None) -> T | None:
    """Return None for an omitted value: like null, it sets no condition."""
    return None if value is UNSET else value


@strawberry.input(
    description="Conditions on text, combined with AND. Comparisons are case-sensitive, but for "
    "`containsIgnoreCase`."
)
class StringFilter:
    eq: str | None = condition("Equal to this value.")
    in_: list[str] | None = condition("One of these values; an empty list matches nothing.", "in")
    not_in: list[str] | None = condition("None of these values. Null matches.")
    starts_with: str | None = condition("Starts with this text, which has no wildcards.")
    contains: str | None = condition("Contains this text, which has no wildcards.")
    contains_ignore_case: str | None = condition(
        "Contains this text in upper or lower case, as the database's locale defines it."
    )
    is_null: bool | None = condition("True: null. False: not null.")

    def criteria(self) -> TextCriteria:
        return TextCriteria(
            eq=checked_text(self.eq),
            in_=checked_texts(self.in_),
            not_in=checked_texts(self.not_in),
            starts_with=checked_text(self.starts_with),
            contains=checked_text(self.contains),
            contains_ignore_case=checked_text(self.contains_ignore_case),
            is_null=optional(self.is_null),
        )


@strawberry.input(description="Conditions on an integer, combined with AND.")
class IntFilter:
    eq: int | None = condition("Equal to this value.")
    in_: list[int] | None = condition("One of these values; an empty list matches nothing.", "in")
    gte: int | None = condition("Greater than or equal to this value.")
    lte: int | None = condition("Less than or equal to this value.")

    def criteria(self) -> IntCriteria:
        return IntCriteria(
            eq=optional(self.eq),
            in_=optional(self.in_),
            gte=optional(self.gte),
            lte=optional(self.lte),
        )


@strawberry.input(description="Conditions on a number, combined with AND.")
class FloatFilter:
    gte: float | None = condition("Greater than or equal to this value.")
    lt: float | None = condition("Less than this value.")

    def criteria(self) -> FloatCriteria:
        return FloatCriteria(gte=optional(self.gte), lt=optional(self.lt))


@strawberry.input(description="Conditions on a time, combined with AND.")
class DateTimeFilter:
    gte: datetime | None = condition("At or after this time.")
    lt: datetime | None = condition("Before this time.")
    is_null: bool | None = condition("True: null. False: not null.")

    def criteria(self) -> TimeCriteria:
        return TimeCriteria(
            gte=optional(self.gte), lt=optional(self.lt), is_null=optional(self.is_null)
        )


def criteria_of(given_filter: Any) -> Any:
    given = optional(given_filter)
    return None if given is None else given.criteria()


def checked(value: T, fault: str | None) -> T:
    if fault is not None:
        raise BadUserInputError(fault)
    return value


def checked_text(text: str | None) -> str | None:
    given = optional(text)
    return None if given is None else checked(given, text_fault(given))


def checked_texts(texts: Iterable[str] | None) -> list[str] | None:
    given = optional(texts)
    if given is None:
        return None
    return [checked(text, text_fault(text)) for text in dict.fromkeys(given)]
