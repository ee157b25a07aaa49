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

# As in 0007: a role of its own searches the indexes, for the organisation of the transaction. The
# answer is null where they would be slower than the newest jobs: if more than `most` jobs match or,
# but for `with_common`, many of the newest ones. enable_indexscan is set so that its value of
# before comes back when the function ends.
_BEGIN = """
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET enable_seqscan = off
SET enable_indexscan = on
SET work_mem = '64MB'
AS $$
DECLARE
    org uuid := nullif(current_setting('joblens.org_id', true), '')::uuid;
    found tid[];
"""
# Each scalar of a payload is in the index with the path to it, which begins with the organisation.
_PAYLOADS = """
CREATE FUNCTION joblens_rows_containing(document jsonb, most integer) RETURNS tid[]
DECLARATIONS
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::tid[];
    END IF;
    IF (
        SELECT count(*) FROM (
            SELECT payload FROM job WHERE org_id = org ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest WHERE newest.payload @> document
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('enable_indexscan', 'off', true);
    found := ARRAY(
        SELECT ctid FROM job
        WHERE jsonb_set('{}'::jsonb, ARRAY[org_id::text], payload)
                @> jsonb_set('{}'::jsonb, ARRAY[org::text], document)
            AND payload IS NOT NULL AND payload @> document
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
_TAGS = """
CREATE FUNCTION joblens_rows_with_tags(wanted jsonb, most integer, with_common boolean)
RETURNS tid[]
DECLARATIONS
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::tid[];
    END IF;
    IF wanted = '[]' OR NOT with_common AND (
        SELECT count(*) FROM (
            SELECT tags FROM job WHERE org_id = org ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest WHERE newest.tags @> wanted
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('enable_indexscan', 'off', true);
    found := ARRAY(
        SELECT ctid FROM job
        WHERE jsonb_set('{}'::jsonb, ARRAY[org_id::text], tags)
                @> jsonb_set('{}'::jsonb, ARRAY[org::text], wanted)
            AND tags IS NOT NULL AND tags @> wanted
        LIMIT most + 1
    );
    RETURN CASE WHEN cardinality(found) <= most THEN found END;
END
$$
"""
# Rows of which only these trigrams match are among the answer, so that it depends on nothing but
# the trigrams that the caller may search. How frequent a trigram is, the newest messages say. Of
# those that most of them have, no list is read if there are three rarer ones.
_MESSAGES = """
CREATE FUNCTION joblens_rows_with_error_text(part text, most integer, as_stored boolean)
RETURNS tid[]
DECLARATIONS
    shown bigint[] := joblens_trigrams(part, org::text);
    stored bigint[] := joblens_trigrams(part, org || ' stored');
    -- As in joblens_trigrams.
    letters text[] := string_to_array(
        translate(lower(part), chr(962) || chr(305) || chr(775), chr(963) || 'i'), NULL
    );
    newest text[];
BEGIN
    IF org IS NULL THEN
        RETURN ARRAY[]::tid[];
    END IF;
    IF cardinality(shown) = 0 OR (
        SELECT count(*) FROM (
            SELECT last_error_message AS message FROM job WHERE org_id = org
            ORDER BY created_at DESC, id DESC LIMIT 2000
        ) AS newest
        WHERE strpos(message, '://') = 0 AND strpos(lower(message), lower(part)) > 0
    ) >= 40 THEN
        RETURN NULL;
    END IF;
    newest := ARRAY(
        SELECT lower(left(message, 1000)) FROM (
            SELECT last_error_message AS message FROM job
            WHERE org_id = org AND last_error_message IS NOT NULL
            ORDER BY created_at DESC, id DESC LIMIT 200
        ) AS newest
        WHERE strpos(message, '://') = 0
    );
    SELECT array_agg(ranked.shown), array_agg(ranked.stored) INTO shown, stored FROM (
        SELECT trigram.*, row_number() OVER (ORDER BY trigram.messages, trigram.shown) AS rank
        FROM (
            SELECT each.shown, each.stored, (
                SELECT count(*) FROM unnest(newest) AS message
                WHERE strpos(message, a || b || c) > 0
            ) AS messages
            FROM unnest(letters, letters[2:], letters[3:], shown, stored)
                AS each (a, b, c, shown, stored)
            WHERE c IS NOT NULL
        ) AS trigram
    ) AS ranked
    WHERE rank <= 3 OR rank <= 8 AND messages * 2 <= cardinality(newest);
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
SEARCHES = {
    "joblens_rows_containing(jsonb, integer)": _PAYLOADS,
    "joblens_rows_with_tags(jsonb, integer, boolean)": _TAGS,
    "joblens_rows_with_error_text(text, integer, boolean)": _MESSAGES,
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
COUNT = "joblens_count_jobs_with_tags(jsonb)"


def upgrade() -> None:
    """Add the functions. What they replace stays for processes of the version before."""
    op.execute("GRANT SELECT (ctid) ON job TO joblens_search")
    for name, create in SEARCHES.items():
        op.execute(create.replace("DECLARATIONS", _BEGIN.strip()))
        op.execute(_OWN.replace("NAME", name))
    op.execute(f"ALTER FUNCTION {COUNT} SET work_mem = '64MB'")


def downgrade() -> None:
    op.execute(f"ALTER FUNCTION {COUNT} RESET work_mem")
    for name in reversed(SEARCHES):
        op.execute(f"DROP FUNCTION {name}")
    op.execute("REVOKE SELECT (ctid) ON job FROM joblens_search")
