"""A small schema that has a field of each kind; its rows know the answers.

A field's name has the same type in all types that have it.
"""

import asyncio
from collections.abc import Sequence
from enum import Enum
from typing import Annotated, Any, NewType

import strawberry
from graphql import GraphQLObjectType, GraphQLOutputType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from schema.execution.fields import Parents, leaf, level
from tests.schema.execution.rows import (
    CatRow,
    DogRow,
    PersonRow,
    Row,
    StoneRow,
    give_all,
)

FIRST = strawberry.ID("1")
Info = strawberry.Info[Any, None]


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = 3


Hex = NewType("Hex", int)
Anything = NewType("Anything", object)
Shown = NewType("Shown", object)
LazyBeing = Annotated["Being", strawberry.lazy(".small_schema")]
LazyAnimal = Annotated["Animal", strawberry.lazy(".small_schema")]
LazyDog = Annotated["Dog", strawberry.lazy(".small_schema")]
LazyStone = Annotated["Stone", strawberry.lazy(".small_schema")]
LazyBox = Annotated["Box", strawberry.lazy(".small_schema")]


def write_hex(value: Any) -> str | None:
    """Write a number; one below zero cannot be written."""
    return hex(value) if value >= 0 else None


SCALARS: dict[object, ScalarDefinition] = {
    Hex: strawberry.scalar(name="Hex", serialize=write_hex),
    Anything: strawberry.scalar(name="Anything"),
    Shown: strawberry.scalar(name="Shown", serialize=str),
}


@strawberry.input
class Near:
    distance: int = 1
    colours: list[Colour] | None = None
    inner: Annotated["Near", strawberry.lazy(".small_schema")] | None = None


def described(near: Near | None) -> Any:
    """Make plain values of an input, to be compared."""
    if near is None:
        return None
    names = None if near.colours is None else [colour.name for colour in near.colours]
    return [near.distance, names, described(near.inner)]


@strawberry.interface
class Being:
    # Attributes.
    id: strawberry.ID
    name: str | None
    age: int | None
    heft: float
    alive: bool | None
    colour: Colour | None
    code: Hex | None
    anything: Anything | None
    shown: Shown | None
    names: list[str | None] | None
    numbers: list[int] | None
    grid: list[list[int]] | None
    colours: list[Colour]
    home: LazyStone | None

    # Leaves that a function computes.
    @leaf("", {"title"})
    def title(self: Row) -> str | None:
        return self.give("title")  # type: ignore[no-any-return]

    @leaf("", {"rank"})
    def rank(self: Row, info: Info) -> int:
        assert info.context is not None
        return self.give("rank")  # type: ignore[no-any-return]

    @leaf("", {"scaled"})
    def scaled(self: Row, factor: int = 2, colour: Colour | None = None) -> float | None:
        return self.give("scaled", factor=factor, colour=colour)  # type: ignore[no-any-return]

    # Objects that a function computes.
    @strawberry.field
    def best(self: Row) -> LazyBeing:
        return self.give("best")  # type: ignore[no-any-return]

    @strawberry.field
    def owner(self: Row, near: Near | None = None) -> LazyBeing | None:
        return self.give("owner", near=described(near))  # type: ignore[no-any-return]

    @strawberry.field
    def pets(self: Row) -> list[LazyAnimal | None]:
        return self.give("pets")  # type: ignore[no-any-return]

    @strawberry.field
    def packs(self: Row) -> list[list[LazyDog] | None] | None:
        return self.give("packs")  # type: ignore[no-any-return]

    @strawberry.field
    def box(self: Row) -> LazyBox | None:
        return self.give("box")  # type: ignore[no-any-return]

    # What is answered for all parents at once.
    @level("")
    async def children(
        self, parents: Parents[Row], info: Info, first: int | None = None
    ) -> Sequence[list[LazyBeing]]:
        assert info.field_name == "children"
        await asyncio.sleep(0)
        return give_all(parents, "children", first=first)

    @level("")
    async def nearest(self, parents: Parents[Row], near: Near) -> Sequence[LazyBeing | None]:
        for _ in range(len(parents) % 3):
            await asyncio.sleep(0)
        return give_all(parents, "nearest", near=described(near))

    @level("")
    async def total(self, parents: Parents[Row]) -> Sequence[int]:
        return give_all(parents, "total")

    @level("")
    async def circles(
        self, parents: Parents[Row]
    ) -> Sequence[list[list[LazyBeing | None] | None] | None]:
        return give_all(parents, "circles")


@strawberry.interface
class Animal(Being):
    sound: str

    @strawberry.field
    def mate(self: Row) -> LazyAnimal | None:
        return self.give("mate")  # type: ignore[no-any-return]


@strawberry.type
class Cat(Animal):
    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, CatRow)


@strawberry.type
class Dog(Animal):
    @strawberry.field
    def friend(self: Row) -> Cat:
        return self.give("friend")  # type: ignore[no-any-return]

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, DogRow)


@strawberry.type
class Person(Being):
    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, PersonRow)


@strawberry.type
class Stone:
    heft: float
    name: str | None

    @classmethod
    def is_type_of(cls, source: Any, _info: Any) -> bool:
        return isinstance(source, StoneRow)


Thing = Annotated[Cat | Dog | Person | Stone, strawberry.union("Thing")]


@strawberry.type
class Box:
    """It takes any object for one of its own."""

    label: str | None

    @strawberry.field
    def thing(self: Row) -> Thing | None:
        return self.give("thing")  # type: ignore[no-any-return]

    @strawberry.field
    def things(self: Row) -> list[Thing]:
        return self.give("things")  # type: ignore[no-any-return]

    @level("")
    async def heap(self, parents: Parents[Row]) -> Sequence[list[Thing | None]]:
        return give_all(parents, "heap")


@strawberry.type
class Query:
    @strawberry.field
    async def being(self, info: Info, id: strawberry.ID = FIRST) -> Being | None:  # noqa: A002
        await asyncio.sleep(0)
        return info.context.root.give("being", id=id)  # type: ignore[no-any-return]

    @strawberry.field
    async def beings(self, info: Info) -> list[Being | None]:
        return info.context.root.give("beings")  # type: ignore[no-any-return]

    @strawberry.field
    async def count(self, info: Info) -> int:
        await asyncio.sleep(0)
        return info.context.root.give("count")  # type: ignore[no-any-return]

    @strawberry.field
    def cat(self, info: Info) -> Cat | None:
        return info.context.root.give("cat")  # type: ignore[no-any-return]

    @strawberry.field
    def box(self, info: Info) -> Box | None:
        return info.context.root.give("box")  # type: ignore[no-any-return]

    @strawberry.field
    def echo(
        self, info: Info, near: Near | None = None, words: list[str] | None = None
    ) -> str | None:
        return info.context.root.give("echo", near=described(near), words=words)  # type: ignore[no-any-return]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def change(self, info: Info, to: int) -> Being | None:
        await asyncio.sleep(0)
        return info.context.root.give("change", to=to)  # type: ignore[no-any-return]

    @strawberry.mutation
    async def must(self, info: Info, to: int) -> Being:
        await asyncio.sleep(0)
        return info.context.root.give("must", to=to)  # type: ignore[no-any-return]

    @strawberry.mutation
    def make(self, info: Info, to: int) -> Being | None:
        return info.context.root.give("make", to=to)  # type: ignore[no-any-return]

    @strawberry.mutation
    def note(self, info: Info, to: int) -> int | None:
        return info.context.root.give("note", to=to)  # type: ignore[no-any-return]


SCHEMA: GraphQLSchema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    types=[Cat, Dog, Person, Stone],
    config=StrawberryConfig(scalar_map=SCALARS),
)._schema


def _field_types() -> dict[str, GraphQLOutputType]:
    types: dict[str, GraphQLOutputType] = {}
    for type_ in SCHEMA.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field in type_.fields.items():
                assert str(types.setdefault(name, field.type)) == str(field.type)
    return types


FIELD_TYPES = _field_types()
