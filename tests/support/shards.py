"""The rules of statements that Citus sends to one shard, checked on PostgreSQL's own parse tree.

Each tenant table, at each level of a statement, is bound to one organisation by that level itself.
"""

from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any

from pglast import ast, enums, parse_sql

from db.tables import metadata

TENANT_TABLES = frozenset(metadata.tables)
# Functions that each shard would compute for itself, or that set what shards do not see.
CLOCKS = frozenset(
    {
        "now",
        "clock_timestamp",
        "statement_timestamp",
        "transaction_timestamp",
        "gen_random_uuid",
        "uuidv7",
        "set_config",
    }
)
QUERIES = ast.SelectStmt, ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt
WRITES = ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt
Names = frozenset[str]


def faults(sql: str) -> list[str]:
    """Return what Citus refuses in these statements, or sends to every shard."""
    return [fault for raw in parse_sql(sql) for fault in _faults(raw.stmt, frozenset(), True)]


def below(node: Any) -> Iterator[Any]:
    """Yield the nodes directly below a node."""
    values = (getattr(node, name) for name in node) if isinstance(node, ast.Node) else node
    for value in values:
        if isinstance(value, ast.Node):
            yield value
        elif isinstance(value, tuple | list):
            yield from below(value)


def nodes(node: Any, *, into_queries: bool = True) -> Iterator[Any]:
    """Yield a node and all nodes below it."""
    yield node
    for each in below(node):
        if into_queries or not isinstance(each, QUERIES):
            yield from nodes(each, into_queries=into_queries)


def _faults(node: Any, ctes: Names, is_top: bool = False) -> Iterator[str]:
    if isinstance(node, ast.MergeStmt):
        yield "MERGE"
    if isinstance(node, QUERIES):
        if isinstance(node, WRITES) and not is_top:
            yield f"modifying CTE: {type(node).__name__}"
        if node.withClause is not None:
            ctes = yield from _faults_of_ctes(node.withClause, ctes)
        yield from _unbound(node, ctes)
        yield from _clocks(node)
    for each in below(node):
        if not isinstance(each, ast.WithClause):
            yield from _faults(each, ctes)


def _faults_of_ctes(clause: Any, ctes: Names) -> Generator[str, None, Names]:
    """Yield the faults of CTEs, each of which sees those before it; return the names of all."""
    known = ctes | {each.ctename for each in clause.ctes}
    for each in clause.ctes:
        yield from _faults(each.ctequery, known if clause.recursive else ctes)
        ctes |= {each.ctename}
    return known


def _unbound(query: Any, ctes: Names) -> Iterator[str]:
    """Yield the tenant tables of a level that its own conditions bind to no organisation."""
    if isinstance(query, ast.InsertStmt):
        if query.relation.relname in TENANT_TABLES and not _inserts_one(query):
            yield f"INSERT INTO {query.relation.relname} without org_id = $n"
        return
    sources = _sources(query)
    tables = [
        table
        for source in sources
        for table in _tables(source)
        if table.relname in TENANT_TABLES
        and table.schemaname != "pg_temp"
        and (table.schemaname or table.relname not in ctes)
    ]
    where = getattr(query, "whereClause", None)
    everywhere = list(_conjuncts(where))
    if any(map(_is_false, everywhere)):
        # No row of any shard is wanted, so no shard is asked.
        return
    for table in tables:
        own = chain(everywhere, *(_binding(source, table) for source in sources))
        alone = len(list(chain(*map(_members, sources)))) == 1
        if not any(_is_bound(each, _name(table), alone) for each in own):
            yield f"{table.relname} AS {_name(table)} without org_id = $n at its level"


def _sources(query: Any) -> list[Any]:
    if isinstance(query, ast.SelectStmt):
        return list(query.fromClause or ())
    others = query.usingClause if isinstance(query, ast.DeleteStmt) else query.fromClause
    return [query.relation, *(others or ())]


def _members(source: Any) -> Iterator[Any]:
    if isinstance(source, ast.JoinExpr):
        yield from _members(source.larg)
        yield from _members(source.rarg)
    else:
        yield source


def _tables(source: Any) -> Iterator[Any]:
    return (each for each in _members(source) if isinstance(each, ast.RangeVar))


def _binding(source: Any, table: Any) -> Iterator[Any]:
    """Yield the conditions of joins that leave only their matches of a table."""
    if not isinstance(source, ast.JoinExpr):
        return
    left, right = list(_members(source.larg)), list(_members(source.rarg))
    inner = source.jointype == enums.JoinType.JOIN_INNER
    kept = source.jointype == enums.JoinType.JOIN_LEFT and table in right
    if inner or kept or (source.jointype == enums.JoinType.JOIN_RIGHT and table in left):
        yield from _conjuncts(source.quals)
    yield from _binding(source.larg, table)
    yield from _binding(source.rarg, table)


def _conjuncts(condition: Any) -> Iterator[Any]:
    if isinstance(condition, ast.BoolExpr) and condition.boolop == enums.BoolExprType.AND_EXPR:
        for each in condition.args:
            yield from _conjuncts(each)
    elif condition is not None:
        yield condition


def _is_false(condition: Any) -> bool:
    return isinstance(condition, ast.A_Const) and condition.val == ast.Boolean(boolval=False)


def _is_bound(condition: Any, name: str, alone: bool) -> bool:
    """Return whether a condition is `org_id = $n` of the table of this name."""
    if not (
        isinstance(condition, ast.A_Expr)
        and condition.kind == enums.A_Expr_Kind.AEXPR_OP
        and [each.sval for each in condition.name] == ["="]
    ):
        return False
    sides = condition.lexpr, condition.rexpr
    return any(
        _column(one) in ({(name, "org_id"), (None, "org_id")} if alone else {(name, "org_id")})
        and is_given(other)
        for one, other in (sides, sides[::-1])
    )


def is_given(node: Any) -> bool:
    """Return whether this is a parameter or a constant, converted or not."""
    if isinstance(node, ast.TypeCast):
        return is_given(node.arg)
    return isinstance(node, ast.ParamRef) or (isinstance(node, ast.A_Const) and not node.isnull)


def _column(node: Any) -> tuple[str | None, str] | None:
    if not isinstance(node, ast.ColumnRef) or not isinstance(node.fields[-1], ast.String):
        return None
    names = [each.sval for each in node.fields]
    return (names[-2] if len(names) > 1 else None, names[-1])


def _name(table: Any) -> str:
    return str(table.alias.aliasname if table.alias else table.relname)


def _inserts_one(insert: Any) -> bool:
    columns = [each.name for each in insert.cols or ()]
    if "org_id" not in columns or insert.selectStmt is None:
        return False
    return _gives(insert.selectStmt, columns.index("org_id"))


def _gives(select: Any, position: int) -> bool:
    """Return whether a query returns a parameter at a position of all its rows."""
    if select.valuesLists:
        return all(is_given(row[position]) for row in select.valuesLists)
    if select.op != enums.SetOperation.SETOP_NONE:
        return _gives(select.larg, position) and _gives(select.rarg, position)
    value = select.targetList[position].val
    while isinstance(value, ast.TypeCast):
        value = value.arg
    return is_given(value) or any(
        _passes(each, value) for source in select.fromClause or () for each in _members(source)
    )


def _passes(source: Any, value: Any) -> bool:
    """Return whether a column is one of VALUES with parameters, as SQLAlchemy writes many rows."""
    name = _column(value)
    if name is None or not isinstance(source, ast.RangeSubselect) or not source.alias.colnames:
        return False
    columns = [each.sval for each in source.alias.colnames]
    return name[1] in columns and _gives(source.subquery, columns.index(name[1]))


def _clocks(query: Any) -> Iterator[str]:
    """Yield what a write would have each shard compute for itself."""
    if not isinstance(query, WRITES):
        return
    names = "targetList", "returningClause", "onConflictClause"
    for part in below([getattr(query, name, None) for name in names]):
        for each in nodes(part):
            if isinstance(each, ast.FuncCall) and each.funcname[-1].sval in CLOCKS:
                yield f"{each.funcname[-1].sval}() in {type(query).__name__}"
            if isinstance(each, ast.SQLValueFunction):
                yield f"{each.op.name} in {type(query).__name__}"
