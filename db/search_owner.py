"""Check of the functions that search for requests: that they have the rights of their own role.

After `pg_restore --no-owner` they belong to the restoring login. They still search one organisation
only, because they name it, but with all rights of that login.
"""

from db.checks import Check
from db.connections import connect

SEARCH_ROLE = "joblens_search"
FUNCTIONS = (
    "joblens_jobs_containing",
    "joblens_jobs_with_error_text",
    "joblens_jobs_with_tags",
    "joblens_all_jobs_with_tags",
    "joblens_count_jobs_with_tags",
    "joblens_rows_containing",
    "joblens_rows_with_error_text",
    "joblens_rows_with_tags",
)
REMEDY = "as a superuser: " + "; ".join(
    f"ALTER FUNCTION {name} OWNER TO {SEARCH_ROLE}" for name in FUNCTIONS
)


async def check_search_owner(url: str) -> Check:
    """Check that the functions that step around row level security belong to their role."""
    connection = await connect(url, "joblens check")
    try:
        owners = await connection.fetch(
            "SELECT DISTINCT pg_get_userbyid(proowner) AS name FROM pg_proc"
            " WHERE oid = ANY(SELECT to_regproc(name) FROM unnest($1::text[]) AS name)",
            list(FUNCTIONS),
        )
    finally:
        await connection.close()
    names = [owner["name"] for owner in owners]
    finding = f"functions of {', '.join(names) or 'no role'}"
    return Check("search", names == [SEARCH_ROLE], finding, REMEDY, is_advice=True)
