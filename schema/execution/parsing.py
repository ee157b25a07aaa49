"""Texts as documents: lexed and parsed, and no further than the limit on tokens."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from graphql import (
    DocumentNode,
    GraphQLSyntaxError,
    Lexer,
    Source,
    SourceLocation,
    Token,
    TokenKind,
)
from graphql.language import location
from graphql.language.parser import Parser

from resolvers.errors import ErrorCode
from schema.limits.document_limits import LimitError

# Ignored characters between tokens, which take the lexer time.
IGNORED = " \t\r\n,\ufeff"
_LINE_END = re.compile(r"\r\n|[\n\r]")


class Text(Source):
    """A document's text, in which a position is found at once: each error of a run has one."""

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in _LINE_END.finditer(self.body))]

    def get_location(self, position: int) -> SourceLocation:
        """Get the line and column of a position."""
        line = bisect_right(self._lines, position)
        return SourceLocation(line, position + 1 - self._lines[line - 1])


def _locations(places: Sequence[tuple[Source, int]]) -> list[SourceLocation]:
    return [source.get_location(start) for source, start in places]


# graphql-core scans the whole text for each error with several locations.
vars(location)["get_locations"] = _locations


class BoundedLexer(Lexer):
    """Counts each token as it is read, comments too, before the parser makes anything of it."""

    def __init__(self, source: Source, max_tokens: int) -> None:
        super().__init__(source)
        self._most = max_tokens
        self._count = 0

    def read_next_token(self, start: int) -> Token:
        """Read a token. Raises LimitError for one too many, whatever it is or may be."""
        try:
            token = super().read_next_token(start)
        except GraphQLSyntaxError:
            self._count_one()
            raise
        if token.kind is not TokenKind.EOF:
            self._count_one()
        return token

    def _count_one(self) -> None:
        self._count += 1
        if self._count > self._most:
            words = f"The document has more tokens than the {self._most} that are allowed."
            raise LimitError(ErrorCode.LIMIT_EXCEEDED, words, limit="tokens", max=self._most)


def parse(text: str, max_tokens: int | None) -> DocumentNode:
    """Parse a document. Raises GraphQLSyntaxError, LimitError, and RecursionError: too deep."""
    source = Text(text.rstrip(IGNORED))
    lexer = None if max_tokens is None else BoundedLexer(source, max_tokens)
    return Parser(source, lexer=lexer).parse_document()
