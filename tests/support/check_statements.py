"""Checks what a test run sent to the database against the rules of Citus: `python -m` this FOLDER.

FOLDER is that of `--statements`. Exit status 1 if a statement breaks a rule, or if a function of the
program sends statements that no test made it send.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import asyncpg
from pglast.parser import ParseError

from db import embedded, migrations
from db.tables import metadata
from tests.support.mutability import mutable
from tests.support.sent import ROOT, load, sending_functions
from tests.support.shard_exceptions import (
    ALL_ORGANISATIONS,
    NOT_ON_CITUS,
    NOT_SENT,
    OTHER_DATABASES,
)
from tests.support.shards import faults

# As db.transfer.loads makes it, for a transaction.
_STAGED = "CREATE TEMPORARY TABLE staged_job (LIKE job, line bigint NOT NULL)"
Recorded = Mapping[str, set[str]]


def main(folder: Path) -> int:
    recorded = {sql: by for sql, by in load(folder).items() if by}
    found = [*broken(recorded), *unreached(recorded)]
    found += asyncio.run(_mutable(recorded))
    print("\n".join(found), file=sys.stderr)
    print(f"{len(recorded)} statements checked, {len(found)} faults")
    return 1 if found else 0


def broken(recorded: Recorded) -> Iterator[str]:
    """Yield the faults that the statements show by themselves."""
    for sql, functions in recorded.items():
        if functions & OTHER_DATABASES.keys() or not _is_ours(sql):
            continue
        try:
            found = faults(sql)
        except ParseError as error:
            found = [str(error)]
        for fault in found:
            if not _is_excepted(fault, functions):
                yield f"{fault}\n  sent by {', '.join(sorted(functions))}\n  {_short(sql)}"


def unreached(recorded: Recorded) -> Iterator[str]:
    """Yield the functions whose statements were never sent, and exceptions that are none."""
    reached = {function for functions in recorded.values() for function in functions}
    sending = set(sending_functions())
    for function in sorted(sending - reached - NOT_SENT.keys()):
        yield f"no test makes {function} send its statements"
    for function in sorted({*ALL_ORGANISATIONS, *NOT_ON_CITUS, *OTHER_DATABASES, *NOT_SENT}):
        path, _, name = function.partition(":")
        if f"def {name}(" not in (ROOT / path).read_text():
            yield f"{function} is an exception, but does not exist"


async def _mutable(recorded: Recorded) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="joblens-"))
    server = embedded.start(folder)
    found = []
    try:
        await migrations.upgrade(server.url)
        connection: Any = await asyncpg.connect(server.url)
        await connection.execute(_STAGED)
        for sql, functions in recorded.items():
            if _is_ours(sql) and not functions & {*OTHER_DATABASES, *NOT_ON_CITUS}:
                # One that cannot be parsed has been reported.
                with suppress(ParseError):
                    refused = await mutable(connection, sql)
                    found += [f"{each}\n  {_short(sql)}" for each in refused]
        await connection.close()
    finally:
        server.stop()
        shutil.rmtree(folder)
    return found


def _is_ours(sql: str) -> bool:
    words = sql.lower()
    return any(table in words for table in metadata.tables) and not words.startswith("explain")


def _is_excepted(fault: str, functions: set[str]) -> bool:
    listed = set(NOT_ON_CITUS)
    if "without org_id" in fault:
        listed |= ALL_ORGANISATIONS.keys()
    return bool(functions & listed)


def _short(sql: str) -> str:
    return " ".join(sql.split())[:600]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
