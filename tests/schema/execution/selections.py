"""Writes random documents for the small schema."""

from random import Random
from typing import Any

from graphql import (
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.schema.execution.small_schema import SCHEMA

# What is given to fields that take arguments; the same field with others needs another name.
ARGUMENTS = {
    "being": ["", '(id: "2")', "(id: $id)"],
    "echo": [
        "",
        "(near: {})",
        "(words: [])",
        '(words: ["a", $word], near: $near)',
        "(near: {distance: $number, colours: [RED, $colour]})",
    ],
    "scaled": ["", "(factor: 3)", "(factor: $number, colour: $colour)", "(colour: null)"],
    "owner": ["", "(near: null)", "(near: $near)", "(near: {inner: {distance: 2}})"],
    "children": ["", "(first: 1)", "(first: $first)", "(first: null)"],
    "nearest": ["(near: {})", "(near: {distance: $number})", "(near: {colours: BLUE})"],
}
CHANGES = ["(to: 1)", "(to: 2)", "(to: $number)"]
VARIABLES = (
    '$a: Boolean = true, $b: Boolean!, $id: ID! = "3", $number: Int! = 4, $first: Int,'
    ' $near: Near, $word: String! = "w", $colour: Colour! = GREEN'
)
CONDITIONS = ["@include(if: $a)", "@skip(if: $b)", "@include(if: true)", "@skip(if: false)"]
FRAGMENTS = {"OfBeing": "Being", "OfAnimal": "Animal", "OfCat": "Cat", "OfThing": "Thing"}


class Writer:
    """Writes one document. `random`: what it asks at each turn."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._used: dict[str, str] = {}
        # Fragments do not: there would be circles.
        self._spreads = True

    def document(self, operation: str = "query") -> str:
        """Write a document whose variables' values `variables` draws."""
        root = "Query" if operation == "query" else "Mutation"
        selections = self._set(root, 5)
        text = f"{operation} ({VARIABLES}) {selections}"
        # Unused variables are against the rules of a document, which no executor checks.
        return "\n".join([text, *self._used.values()])

    def variables(self) -> dict[str, Any]:
        """Draw values of the variables."""
        draw: dict[str, list[Any]] = {
            "a": [True, True, False, None],
            "b": [False, False, True],
            "id": ["x"],
            "number": [0, 7],
            "first": [None, 2],
            "near": [None, {}, {"distance": 2, "colours": ["BLUE"], "inner": {}}],
            "colour": ["RED"],
        }
        given = {name: self._random.choice(values) for name, values in draw.items()}
        optional = ["id", "number", "first", "near", "colour", *(["a"] * 1)]
        return {
            name: value
            for name, value in given.items()
            if name not in optional or self._random.random() < 0.6
        }

    def _set(self, type_: str, depth: int) -> str:
        number = self._random.randint(1, 5 if depth > 2 else 3)
        members = [self._member(type_, depth) for _ in range(number)]
        members += ["__typename"] * (self._random.random() < 0.3)
        return "{ " + " ".join(members) + " }"

    def _member(self, type_: str, depth: int) -> str:
        thrown = self._random.random()
        if thrown < 0.15:
            condition = self._random.choice(["", *self._related(type_)])
            on = f"on {condition} " if condition else ""
            inner = self._set(condition or type_, max(depth - 1, 0))
            return f"... {on}{self._directives()}{inner}"
        if thrown < 0.25 and self._spreads:
            related = self._related(type_)
            names = [name for name, each in FRAGMENTS.items() if each in related]
            if names:
                name = self._random.choice(names)
                self._use(name, depth - 1)
                return f"...{name} {self._directives()}"
        return self._field(type_, depth)

    def _use(self, name: str, depth: int) -> None:
        if name not in self._used:
            self._spreads = False
            selections = self._set(FRAGMENTS[name], min(max(depth, 0), 2))
            self._used[name] = f"fragment {name} on {FRAGMENTS[name]} {selections}"
            self._spreads = True

    def _related(self, type_: str) -> list[str]:
        """List the types that an object of this type may be of."""
        own = _objects(type_)
        names = ["Being", "Animal", "Cat", "Dog", "Person", "Stone", "Thing"]
        return [name for name in names if own & _objects(name)] or [type_]

    def _field(self, type_: str, depth: int) -> str:
        definition: Any = SCHEMA.type_map[type_]
        fields: dict[str, Any] = getattr(definition, "fields", {})
        names = [
            name
            for name, field in fields.items()
            if depth > 0 or is_leaf_type(get_named_type(field.type))
        ]
        if not names:
            return "__typename"
        name = self._random.choice(names)
        field = fields[name]
        options = CHANGES if definition is SCHEMA.mutation_type else ARGUMENTS.get(name, [""])
        variant = self._random.randrange(len(options))
        alias = f"{name}_{variant}: " if variant else ""
        if self._random.random() < 0.15:
            alias = f"other_{name}_{variant}: "
        text = f"{alias}{name}{options[variant]} {self._directives()}"
        inner = get_named_type(field.type)
        if is_leaf_type(inner):
            return text
        return text + self._set(inner.name, depth - 1)

    def _directives(self) -> str:
        if self._random.random() < 0.8:
            return ""
        return self._random.choice(CONDITIONS) + " "


def _objects(name: str) -> set[str]:
    type_: Any = SCHEMA.type_map[name]
    if is_abstract_type(type_):
        return {each.name for each in SCHEMA.get_possible_types(type_)}
    assert isinstance(type_, GraphQLObjectType)
    return {name}
