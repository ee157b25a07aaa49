"""SQL text with the types of its parameters, by their names."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Integer, SmallInteger, Text, TextClause, Uuid, bindparam
from sqlalchemy import text as sql_text

from db.tables import Timestamp, Xid8

_TYPES: Mapping[str, Any] = {
    "org_id": Uuid(),
    "id": Uuid(),
    "seen": Text(),
    "since": Timestamp,
    "until": Timestamp,
    "now": Timestamp,
    "minutes_from": Timestamp,
    "first": Timestamp,
    "last": Timestamp,
    "first_xid": Xid8(),
    "events": BigInteger(),
    "code": Text(),
    "message": Text(),
    "types": ARRAY(Text()),
    "queues": ARRAY(Text()),
    "job_ids": ARRAY(Uuid()),
    "key_ids": ARRAY(Integer()),
    "type_keys": ARRAY(Integer()),
    "queue_keys": ARRAY(Integer()),
    "ids": ARRAY(Uuid()),
    "spans": ARRAY(SmallInteger()),
    "starts": ARRAY(Timestamp),
    "counts": ARRAY(BigInteger()),
    "seqs": ARRAY(Integer()),
}


def typed_sql(statement: str) -> TextClause:
    """Make a statement, or a part of one, with the types of its parameters."""
    made = sql_text(statement)
    given = [bindparam(name, type_=_TYPES[name]) for name in made.compile().params]
    return made.bindparams(*given)
