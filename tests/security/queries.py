"""Attacks on a GraphQL endpoint by documents and their variables, as data."""

from tests.schema.limits import documents
from tests.security.attacks import (
    COSTLY,
    INVALID,
    NO_GRAPHQL,
    RAN,
    attack,
    beyond,
    body,
)


def doubling_fragments(levels: int) -> str:
    """One kilobyte; visited once for each way that leads there, millions of times."""
    spreads = (f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {' '.join(spreads)} fragment F{levels} on Query {{ __typename }}"


def chain_of_fragments(length: int) -> str:
    spreads = (f"fragment F{n} on Query {{ ...F{n + 1} }}" for n in range(length))
    return f"{{ ...F0 }} {' '.join(spreads)} fragment F{length} on Query {{ __typename }}"


def _deep_introspection(depth: int) -> str:
    return "{ __schema { types " + "{ fields { type " * depth + "{ name }" + " } }" * depth + " } }"


TOKENS, ALIASES, ROOTS, DIRECTIVES, ITEMS, OVERLAPS = map(
    beyond, ("tokens", "aliases", "rootFields", "directives", "listItems", "overlaps")
)
CHARACTERS, VALUES, BYTES, OBJECTS = map(
    beyond, ("documentCharacters", "inputValues", "inputBytes", "objects")
)
FLOODS = [
    attack(
        "aliases",
        lambda: f"{{ viewer {{ {' '.join(f'a{n}: subject' for n in range(1_500))} }} }}",
        ALIASES,
    ),
    attack("aliases at the root", lambda: documents.aliases(800), ROOTS),
    attack("more aliases", lambda: documents.aliases(5_000), TOKENS),
    attack("one field again and again", lambda: "{" + " __typename" * 4_000 + "}", OVERLAPS),
    attack("one field without end", lambda: "{" + " __typename" * 10_000 + "}", TOKENS),
    attack("directives", lambda: documents.directives(600), DIRECTIVES),
    attack(
        "directives on one field",
        lambda: "{ __typename " + "@include(if: true) " * 600 + "}",
        DIRECTIVES,
    ),
    attack("more directives", lambda: documents.directives(4_000), TOKENS),
    attack("unknown directives", lambda: "{ __typename " + "@x " * 2_000 + "}", DIRECTIVES),
    attack("operations", lambda: documents.operations(900), beyond("operations")),
    attack("more operations", lambda: documents.operations(2_000), TOKENS),
    attack(
        "fields at the root",
        lambda: f"{{ {' '.join(f'f{n}' for n in range(2_000))} }}",
        ROOTS,
    ),
    attack(
        "unknown fields",
        lambda: f"{{ viewer {{ {' '.join(f'f{n}' for n in range(2_000))} }} }}",
        INVALID,
    ),
    attack(
        "more unknown fields", lambda: f"{{ {' '.join(f'f{n}' for n in range(20_000))} }}", TOKENS
    ),
    attack(
        "pairs of fields to merge",
        lambda: (
            "{ jobs " + "{ nodes { id status type } } jobs ".join([""] * 450) + "{ __typename } }"
        ),
        OVERLAPS,
    ),
    attack(
        "variables",
        lambda: f"query ({' '.join(f'$v{n}: Int' for n in range(1_000))}) {{ __typename }}",
        INVALID,
    ),
    attack(
        "more variables",
        lambda: f"query ({' '.join(f'$v{n}: Int' for n in range(3_000))}) {{ __typename }}",
        TOKENS,
    ),
    attack(
        "fragments that nobody uses",
        lambda: (
            "{ __typename } "
            + " ".join(f"fragment F{n} on Query {{ __typename }}" for n in range(700))
        ),
        INVALID,
    ),
    attack("comments", lambda: "#\n" * 60_000 + "{ __typename }", TOKENS),
    attack("comments between tokens", lambda: "{" + " __typename #\n" * 3_000 + "}", TOKENS),
    attack("comments behind the end", lambda: "{ __typename }" + "#\n" * 6_000, TOKENS),
    attack(
        "a broken token beyond the bound",
        lambda: "{" + " __typename" * 4_999 + ' "',
        TOKENS,
    ),
    attack("commas", lambda: "{ __typename }" + "," * 900_000, RAN),
    attack("tokens", lambda: "{" * 100_000, NO_GRAPHQL),
    attack("a long name", lambda: "{" + "a" * 100_000 + "}", INVALID),
    attack("long text", lambda: '{ __type(name: "' + "a" * 100_000 + '") { name } }', RAN),
]
LENGTHS = [
    attack(name, lambda text=text: text[0] + text[1] * 200_000 + text[2], CHARACTERS)
    for name, text in {
        "a name without end": ("{", "a", "}"),
        "text without end": ('{ __type(name: "', "a", '") { name } }'),
        "escapes without end": ('{ __type(name: "', "\\n", '") { name } }'),
        "a block string without end": ('{ __type(name: """', "a\n", '""") { name } }'),
        "text that is never ended": ('{ __type(name: "', "a", ""),
        "a comment without end": ("#", "a", "\n{ __typename }"),
        "comments without end": ("", "#\n", "{ __typename }"),
        "a number without end": ("{ __type(name: ", "9", ") { name } }"),
        "spaces in between": ("{", " ", "__typename }"),
        "signs without end": ("", "{", ""),
        "what is not GraphQL": ("", "?", ""),
    }.items()
]

FILTERED = "query ($f: JobFilter) { jobs(filter: $f) { __typename } }"
PAGES = "query ($n: Int) { jobs(first: $n) { nodes { events(first: $n) { nodes { id } } } } }"
LISTS = [
    attack("ids in the document", lambda: documents.ids(2_001), ITEMS),
    attack("ids in a variable", lambda: FILTERED, ITEMS, variables={"f": {"ids": ["x"] * 100_000}}),
    attack(
        "lists in lists of a variable",
        lambda: FILTERED,
        ITEMS,
        variables={"f": {"and": [{"or": [{"type": {"in": ["x"] * 3_000}}]}]}},
    ),
    attack(
        "nodes",
        lambda: "query ($i: [ID!]!) { nodes(ids: $i) { id } }",
        ITEMS,
        variables={"i": ["x"] * 50_000},
    ),
    attack(
        "jobs to create",
        lambda: "mutation ($i: [CreateJobInput!]!) { createJobs(input: $i) { __typename } }",
        ITEMS,
        variables={"i": [{"type": "x"}] * 20_000},
    ),
]

JSONS = "query ($j: JSON) {{ {} }}"
SEARCHED = "a{}: jobs(filter: {{payloadContains: $j}}, first: 1) {{ nodes {{ id }} }}"
COUNTED = "a{}: jobs(filter: $f, first: 1) {{ nodes {{ id }} }}"
ALIASED = f"query ($f: JobFilter) {{ {' '.join(COUNTED.format(n) for n in range(20))} }}"
GIVEN = [
    attack(
        "filters in a variable",
        lambda: FILTERED,
        VALUES,
        variables={"f": {"and": [{"or": [{}] * 150}] * 1_500}},
    ),
    attack(
        "a few thousand filters in a variable",
        lambda: FILTERED,
        VALUES,
        variables={"f": {"and": [{"or": [{}] * 160}] * 60}},
    ),
    attack(
        "one variable in 20 fields",
        lambda: ALIASED,
        VALUES,
        variables={"f": {"and": [{"or": [{}] * 160}] * 14}},
    ),
    attack(
        "one list in 20 fields",
        lambda: ALIASED,
        VALUES,
        variables={"f": {"type": {"in": [f"x{n}" for n in range(2_000)]}}},
    ),
    attack(
        "several variables",
        lambda: (
            f"query ({' '.join(f'$f{n}: JobFilter' for n in range(20))}) {{"
            + " ".join(f"a{n}: jobs(filter: $f{n}) {{ __typename }}" for n in range(20))
            + "}"
        ),
        VALUES,
        variables={f"f{n}": {"and": [{}] * 100} for n in range(20)},
    ),
    attack(
        "one variable again and again in a literal",
        lambda: (
            f"query ($f: JobFilter!) {{ jobs(filter: {{and: [{'$f ' * 1_000}]}}) {{ __typename }} }}"
        ),
        VALUES,
        variables={"f": {"and": [{}] * 40}},
    ),
    attack(
        "the default of a variable",
        lambda: ALIASED.replace("JobFilter", f"JobFilter = {{and: [{'{}' * 1_900}]}}"),
        VALUES,
    ),
    attack(
        "literals",
        lambda: (
            "{"
            + " ".join(
                f"a{n}: jobs(filter: {{and: [{'{}' * 100}]}}) {{ __typename }}" for n in range(20)
            )
            + "}"
        ),
        VALUES,
    ),
    attack(
        "a literal in a fragment of many fields",
        lambda: (
            f"query ($c: String) {{ {' '.join(f'a{n}: jobs(first: 1) {{ nodes {{ ...F }} }}' for n in range(20))} }}"
            " fragment F on Job { events(after: $c) { __typename } }"
        ),
        BYTES,
        variables={"c": "x" * 60_000},
    ),
    attack(
        "JSON in 20 fields",
        lambda: JSONS.format(" ".join(SEARCHED.format(n) for n in range(20))),
        BYTES,
        variables={"j": [[]] * 220_000},
    ),
    attack(
        "JSON again and again in JSON",
        lambda: JSONS.format(SEARCHED.format(0).replace("$j", f"[{'$j ' * 1_000}]")),
        BYTES,
        variables={"j": [[]] * 3_000},
    ),
    attack(
        "fields that have no cost",
        lambda: (
            f"{{ {' '.join(f'a{n}: jobs(first: 200) {{ nodes {{ ...F }} }}' for n in range(20))} }} fragment F on"
            f" Job {{ {' '.join(f'b{n}: events(first: 0) {{ __typename }}' for n in range(30))} }}"
        ),
        OBJECTS,
    ),
    attack(
        "edges without nodes",
        lambda: (
            "{ jobs(first: 200) { edges { node {"
            + " ".join(f"b{n}: events(first: 200) {{ edges {{ cursor }} }}" for n in range(30))
            + "} } } }"
        ),
        OBJECTS,
    ),
]

COSTS = [
    attack(
        "pages in pages", lambda: PAGES.replace("query ($n: Int) ", "").replace("$n", "200"), COSTLY
    ),
    attack("pages in pages by a variable", lambda: PAGES, COSTLY, variables={"n": 200}),
    attack("a page of billions", lambda: PAGES, COSTLY, variables={"n": 2**31 - 1}),
    attack(
        "pages under other names",
        lambda: (
            "{ "
            + " ".join(
                f"p{n}: jobs(first: 200) {{ nodes {{ events(first: 10) {{ nodes {{ id }} }} }} }}"
                for n in range(20)
            )
            + " }"
        ),
        COSTLY,
    ),
    attack("pages in nested fragments", lambda: documents.nested(8), COSTLY),
    attack("fragments combined in ever new ways", lambda: documents.combined(8, 3, 2), INVALID),
]

NESTS = [
    attack("fields, 30 deep", lambda: documents.deep(30), beyond("depth")),
    attack("fields, 500 deep", lambda: "{a" * 500 + "}" * 500, NO_GRAPHQL),
    attack("fields, 40,000 deep", lambda: "{a" * 40_000 + "}" * 40_000, NO_GRAPHQL),
    attack("introspection of itself", lambda: _deep_introspection(3), INVALID),
    attack("introspection, 50 deep", lambda: _deep_introspection(50), beyond("depth")),
    attack(
        "inline fragments", lambda: "{" + "...{" * 5_000 + "__typename" + "}" * 5_001, NO_GRAPHQL
    ),
    attack(
        "lists in an argument",
        lambda: "{ __type(name: " + "[" * 50_000 + "]" * 50_000 + ") {name} }",
        NO_GRAPHQL,
    ),
    attack(
        "objects in an argument",
        lambda: "{ a(b: " + "{c:" * 30_000 + "1" + "}" * 30_000 + ") }",
        NO_GRAPHQL,
    ),
    attack(
        "types of a variable",
        lambda: "query ($v: " + "[" * 50_000 + "Int" + "]" * 50_000 + ") {a}",
        NO_GRAPHQL,
    ),
    attack(
        "a circle of fragments",
        lambda: "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        INVALID,
    ),
    attack("a fragment in itself", lambda: "{ ...A } fragment A on Query { ...A }", INVALID),
    attack("circles of fragments in circles", lambda: documents.circular(20), INVALID),
    attack("more circles of fragments", lambda: documents.circular(200), OVERLAPS),
    attack("a chain of fragments", lambda: chain_of_fragments(50), RAN),
    attack("a long chain of fragments", lambda: chain_of_fragments(400), OVERLAPS),
    attack("a longer chain of fragments", lambda: chain_of_fragments(2_000), TOKENS),
    # Of no depth: they select one field at the root, however often that is said.
    attack("fragments that double, 24 levels", lambda: doubling_fragments(24), RAN),
    attack("fragments that double, 30 levels", lambda: doubling_fragments(30), RAN),
    attack("fragments that double in a page, 24 levels", lambda: documents.doubled(24), RAN),
    attack("fragments that double in a page, 30 levels", lambda: documents.doubled(30), RAN),
    attack("fragments that nest, 24 levels", lambda: documents.nested(24), beyond("depth")),
    attack("fragments that nest, 30 levels", lambda: documents.nested(30), beyond("depth")),
    body(
        "JSON, 200,000 deep",
        lambda: (
            b'{"query":"{__typename}","variables":{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}}"
        ),
    ),
    body("JSON objects, 100,000 deep", lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
]

NUMBERS = [
    attack(
        "digits in the document", lambda: "{ __type(name: " + "9" * 5_000 + ") { name } }", INVALID
    ),
    attack(
        "an exponent in the document", lambda: "{ __type(name: 1e999999999) { name } }", INVALID
    ),
    attack(
        "a default of many digits",
        lambda: "query ($v: Int = " + "9" * 100_000 + ") { __typename }",
        INVALID,
    ),
]

DOCUMENTS = [*FLOODS, *LENGTHS, *LISTS, *GIVEN, *COSTS, *NESTS, *NUMBERS]
