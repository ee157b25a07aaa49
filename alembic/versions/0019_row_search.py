"""Functions that search payloads, tags and error messages, and return where the rows are.

Those of 0007, 0009 and 0014 return ids. Of ten thousand jobs that are spread over a large ledger,
finding each by its id again takes several times as long as reading it.

Parts of messages are looked for by the rarest trigrams. Plans that read another index are off
meanwhile: once ANALYZE knew how frequent trigrams are, PostgreSQL expected three letters to be in
so many messages that it worked out the trigrams of every message instead, until the statement
timed out.

A bitmap of many rows that exceeds `work_mem` keeps pages only, whose rows are all compared again:
each search has more of it.
"""

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | None = None
depends_on: str | None = None

# As db.url_credentials, which a test compares.
CREDENTIALS = (
    r"://[^ \t\n\r\f\v/?#:]*"
    r"(?::(?![0-9]{1,5}[/?#])[^ \t\n\r\f\v/?#]*(?:[/?#][^ \t\n\r\f\v:]*)?)?@"
)
# As in 0007: a role of its own searches the indexes, for the organisation of the transaction. The
# answer is null if more than `most` jobs match, and where a page of the newest jobs is full sooner:
# where matches are common, at eight times since the first job. The newest jobs alone do not say so:
# of a hundred new jobs with a tag that no older one has, the page of the last ones is never full.
# enable_indexscan is set so that its value of before comes back when the function ends.
_BEGIN = """
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET enable_seqscan = off
SET enable_indexscan = on
SET work_mem = '64MB'
AS $$
DECLARE
    org uuid := nullif(current_setting('joblens.org_id', true), '')::uuid;
    oldest timestamptz := (
        SELECT created_at FROM job WHERE org_id = org AND created_at > '-infinity'
        ORDER BY created_at, id LIMIT 1
    );
    newest timestamptz := (
        SELECT created_at FROM job WHERE org_id = org AND created_at < 'infinity'
        ORDER BY created_at DESC, id DESC LIMIT 1
    );
    found tid[];
"""
_ARE_COMMON = """(
        SELECT bool_and((
            SELECT count(*) FROM (
                SELECT COLUMN AS value FROM job
                WHERE org_id = org AND created_at <= newest - (newest - oldest) * (eighth / 8.0)
                    AND AMONG
                ORDER BY created_at DESC, id DESC LIMIT 150
            ) AS near WHERE CONDITION
        ) >= 4) FROM generate_series(0, 7) AS eighth
    )"""


def _are_common(column: str, condition: str, among: str = "true") -> str:
    common = _ARE_COMMON.replace("COLUMN", column).replace("CONDITION", condition)
    return common.replace("AMONG", among)


# Each value is in the index with the organisation: in 0007, payloads, and in 0009, tags.
_DOCUMENTS = """
CREATE FUNCTION NAME(wanted jsonb, most integer, with_common boolean) RETURNS tid[]
DECLARATIONS
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::tid[];
    END IF;
    IF wanted = '[]' OR NOT with_common AND ARE_COMMON THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('enable_indexscan', 'off', true);
    found := ARRAY(
        SELECT ctid FROM job
        WHERE jsonb_set('{}'::jsonb, ARRAY[org_id::text], COLUMN)
                @> jsonb_set('{}'::jsonb, ARRAY[org::text], wanted)
            AND COLUMN IS NOT NULL AND COLUMN @> wanted
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""


def _search_documents(name: str, column: str) -> str:
    search = _DOCUMENTS.replace("NAME", name)
    search = search.replace("ARE_COMMON", _are_common(column, "value @> wanted"))
    return search.replace("COLUMN", column)


# Rows of which only these trigrams match are among the answer, so that it depends on nothing but
# the trigrams that the caller may search. How frequent they are, 25 messages of each eighth of the
# time say, as they are shown to those who may not see credentials. Of trigrams that many messages
# have no list is read if there are rarer ones; of long texts, some sixty trigrams are considered.
# `among_messages`: matches are common if they are among jobs that have a message; else, among all
# jobs.
_MESSAGES = """
CREATE FUNCTION joblens_rows_with_error_text(
    part text, as_stored boolean, among_messages boolean, most integer, with_common boolean
) RETURNS tid[]
DECLARATIONS
    -- As in joblens_trigrams, and below.
    letters text[] := string_to_array(
        translate(lower(part), chr(962) || chr(305) || chr(775), chr(963) || 'i'), NULL
    );
    step integer := 1 + cardinality(letters) / 64;
    sample text[];
    shown bigint[];
    stored bigint[];
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::tid[];
    END IF;
    IF cardinality(letters) < 3 OR NOT with_common AND (
        among_messages AND ARE_COMMON_AMONG_MESSAGES OR NOT among_messages AND ARE_COMMON
    ) THEN
        RETURN NULL;
    END IF;
    sample := ARRAY(
        SELECT lower(left(CASE
            WHEN strpos(message, '://') = 0 THEN message
            ELSE regexp_replace(message, 'CREDENTIALS', '://[redacted]@', 'g')
        END, 500))
        FROM generate_series(0, 7) AS eighth, LATERAL (
            SELECT last_error_message AS message FROM job
            WHERE org_id = org AND created_at <= newest - (newest - oldest) * (eighth / 8.0)
                AND last_error_message IS NOT NULL
            ORDER BY created_at DESC, id DESC LIMIT 25
        ) AS near
    );
    SELECT array_agg(ranked.shown), array_agg(ranked.stored) INTO shown, stored FROM (
        SELECT trigram.*, row_number() OVER (ORDER BY trigram.messages, trigram.shown) AS rank
        FROM (
            SELECT
                hashtextextended(
                    three COLLATE "C", hashtextextended(org::text COLLATE "C", 0)
                ) AS shown,
                hashtextextended(
                    three COLLATE "C", hashtextextended((org || ' stored') COLLATE "C", 0)
                ) AS stored,
                (
                    SELECT count(*) FROM unnest(sample) AS message WHERE strpos(message, three) > 0
                ) AS messages
            FROM (
                SELECT DISTINCT a || b || c AS three
                FROM unnest(letters, letters[2:], letters[3:])
                    WITH ORDINALITY AS neighbours (a, b, c, place)
                WHERE c IS NOT NULL AND (place - 1) % step = 0
            ) AS considered
        ) AS trigram
    ) AS ranked
    WHERE rank <= 3
        OR rank <= 8 AND messages * 2 <= cardinality(sample)
        OR rank <= 32 AND messages * 20 <= cardinality(sample);
    PERFORM set_config('enable_indexscan', 'off', true);
    IF as_stored THEN
        found := ARRAY(
            SELECT ctid FROM job
            WHERE last_error_message IS NOT NULL AND (
                joblens_error_trigrams(org_id, last_error_message) @> shown
                OR joblens_error_trigrams(org_id, last_error_message) @> stored
            )
            LIMIT most + 1
        );
    ELSE
        found := ARRAY(
            SELECT ctid FROM job
            WHERE last_error_message IS NOT NULL
                AND joblens_error_trigrams(org_id, last_error_message) @> shown
            LIMIT most + 1
        );
    END IF;
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""


def _search_messages() -> str:
    column = "last_error_message"
    is_match = "strpos(value, '://') = 0 AND strpos(lower(value), lower(part)) > 0"
    among = _are_common(column, is_match, f"{column} IS NOT NULL")
    search = _MESSAGES.replace("ARE_COMMON_AMONG_MESSAGES", among)
    search = search.replace("CREDENTIALS", CREDENTIALS)
    return search.replace("ARE_COMMON", _are_common(column, is_match))


SEARCHES = {
    "joblens_rows_containing(jsonb, integer, boolean)": _search_documents(
        "joblens_rows_containing", "payload"
    ),
    "joblens_rows_with_tags(jsonb, integer, boolean)": _search_documents(
        "joblens_rows_with_tags", "tags"
    ),
    "joblens_rows_with_error_text(text, boolean, boolean, integer, boolean)": _search_messages(),
}
# As in 0007: only who may create functions in a schema may own one there.
_OWN = """
DO $$
DECLARE
    schema text := quote_ident(current_schema());
    search text := 'NAME';
BEGIN
    EXECUTE 'GRANT CREATE ON SCHEMA ' || schema || ' TO joblens_search';
    EXECUTE 'ALTER FUNCTION ' || search || ' SET search_path = ' || schema || ', pg_temp';
    EXECUTE 'REVOKE ALL ON FUNCTION ' || search || ' FROM PUBLIC';
    EXECUTE 'GRANT EXECUTE ON FUNCTION ' || search || ' TO joblens_app';
    EXECUTE 'ALTER FUNCTION ' || search || ' OWNER TO joblens_search';
    EXECUTE 'REVOKE CREATE ON SCHEMA ' || schema || ' FROM joblens_search';
END
$$
"""


def upgrade() -> None:
    """Add the functions. What they replace stays for processes of the version before."""
    op.execute("GRANT SELECT (ctid) ON job TO joblens_search")
    for name, create in SEARCHES.items():
        op.execute(create.replace("DECLARATIONS", _BEGIN.strip()))
        op.execute(_OWN.replace("NAME", name))


def downgrade() -> None:
    for name in reversed(SEARCHES):
        op.execute(f"DROP FUNCTION {name}")
    op.execute("REVOKE SELECT (ctid) ON job FROM joblens_search")
