-- The character with that number in Unicode. chr() can't be used: it takes numbers of the database's own encoding.
CREATE OR REPLACE FUNCTION aws_s3._character(code_point integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN code_point < 128 THEN chr(code_point)
    -- The bytes of UTF-8: the marker bits of the first and of the following bytes, and six bits of the number in each.
    ELSE convert_from(decode(to_hex((code_point & 63) + ((code_point >> 6 & 63) << 8) + CASE
      WHEN code_point < 2048 THEN 49280::bigint -- C080
      WHEN code_point < 65536 THEN 14712960 + (code_point >> 12 << 16) -- E08080
      ELSE 4034953344 + ((code_point >> 12 & 63) << 16) + (code_point >> 18 << 24) -- F0808080
    END), 'hex'), 'UTF8')
  END
$$;

-- The columns of a query, from the XML Schema of cursor_to_xmlschema, and how to store them in a table:
--   names      the names in the query
--   aliases    c1, c2, ...
--   selected   a select list that turns the aliases into columns that a table can hold. A column of a pseudo-type
--              (record, void, anyarray in pg_stats, ...) is stored as text, and is named t1, t2, ...: format('%s')
--              gives what COPY writes, and a cast to text may give something else. A text column without a collation,
--              or with conflicting ones, gets one; it has no effect, as COPY does not compare.
--   has_text   whether there is a column t1, t2, ...
-- https://www.postgresql.org/docs/current/functions-xml.html#FUNCTIONS-XML-MAPPING
CREATE OR REPLACE FUNCTION aws_s3._columns(
  xml_schema text,
  OUT names text[], OUT aliases text, OUT selected text, OUT has_text boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE unstorable AS (
    -- Pseudo-types, arrays of them, and row types with them, such as pg_statistic and pg_stats. All are built in.
    SELECT t.oid, t.typname, t.typnamespace FROM pg_type AS t WHERE t.typtype = 'p'
    UNION
    SELECT t.oid, t.typname, t.typnamespace
    FROM unstorable AS u JOIN pg_type AS t ON t.typnamespace = u.typnamespace AND (t.typelem = u.oid OR EXISTS (
      SELECT FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.atttypid = u.oid))
  ), elements AS (
    SELECT e.position, e.match[2] AS type, (
      -- _x0020_ stands for the character with that hexadecimal number.
      SELECT string_agg(
        CASE WHEN c.match[2] IS NULL THEN c.match[1]
          ELSE aws_s3._character(('x' || lpad(c.match[2], 8, '0'))::bit(32)::integer) END, '' ORDER BY c.position)
      FROM regexp_matches(e.match[1], '(_x([0-9A-F]{4,8})_|.)', 'g') WITH ORDINALITY AS c(match, position)
    ) AS name
    FROM regexp_matches(xml_schema, '<xsd:element name="([^"]+)" type="([^"]+)" nillable="true"></xsd:element>', 'g')
      WITH ORDINALITY AS e(match, position)
  ), columns AS (
    SELECT e.position, e.name,
      -- UDT.database.schema.type; a period inside a name is written as _x002E_.
      e.type ~ '^UDT[.][^.]+[.]pg_catalog[.]'
        AND split_part(e.type, '.', 4) IN (SELECT u.typname FROM unstorable AS u) AS is_pseudo,
      e.type ~ '^(CHAR|VARCHAR|UDT[.][^.]+[.]pg_catalog[.]text$)' AS is_collatable
    FROM elements AS e
  )
  SELECT
    array_agg(c.name ORDER BY c.position),
    string_agg(format('c%s', c.position), ', ' ORDER BY c.position),
    string_agg(format(CASE
      WHEN c.is_pseudo THEN 'CASE WHEN c%1$s IS DISTINCT FROM NULL THEN pg_catalog.format(''%%s'', c%1$s) END AS t%1$s'
      WHEN c.is_collatable THEN 'c%1$s COLLATE pg_catalog."C" AS c%1$s'
      ELSE 'c%s' END, c.position), ', ' ORDER BY c.position),
    bool_or(c.is_pseudo)
  FROM columns AS c
$$;

-- Whether a table can be made of the query as it is. The query is analysed, but does not run. Its notices are
-- suppressed here, because they come again when the query runs.
CREATE OR REPLACE FUNCTION aws_s3._is_storable(statement text, staged text) RETURNS boolean
LANGUAGE plpgsql SECURITY INVOKER
SET client_min_messages = error
AS $$
BEGIN
  EXECUTE pg_catalog.format(E'CREATE TEMP TABLE %I ON COMMIT DROP AS (%s\n) WITH NO DATA', staged, statement);
  EXECUTE pg_catalog.format('DROP TABLE pg_temp.%I', staged);
  RETURN true;
EXCEPTION
  WHEN duplicate_column OR invalid_table_definition OR indeterminate_collation OR syntax_error THEN
    RETURN false;
END
$$;

-- The columns of a query as XML Schema. The cursor is opened, but nothing is fetched, so the query does not run.
-- Notices are suppressed here, because they come again when the query runs.
CREATE OR REPLACE FUNCTION aws_s3._xml_schema(statement text) RETURNS text
LANGUAGE plpgsql SECURITY INVOKER
SET client_min_messages = error
AS $$
#variable_conflict use_variable
DECLARE
  query pg_catalog.refcursor;
  xml_schema pg_catalog.text;
BEGIN
  OPEN query FOR EXECUTE statement;
  xml_schema := pg_catalog.cursor_to_xmlschema(query, true, true, '')::pg_catalog.text;
  CLOSE query;
  RETURN xml_schema;
EXCEPTION
  WHEN invalid_cursor_definition THEN
    RAISE EXCEPTION USING
      ERRCODE = 'feature_not_supported',
      MESSAGE = 'COPY query must have a RETURNING clause';
END
$$;

-- Like aws_s3._stage, for a query of which no table can be made as it is; returns the names of the query's columns.
-- changes: the query is an INSERT, UPDATE, DELETE or MERGE. needs_collation: it has a text column without a collation.
CREATE OR REPLACE FUNCTION aws_s3._stage_rewritten(statement text, staged text, changes boolean, needs_collation boolean)
RETURNS text[]
LANGUAGE plpgsql SECURITY INVOKER
AS $$
#variable_conflict use_variable
DECLARE
  columns pg_catalog.record;
  form pg_catalog.text;
  message pg_catalog.text;
BEGIN
  BEGIN
    columns := aws_s3._columns(aws_s3._xml_schema(statement));
  EXCEPTION
    WHEN character_not_in_repertoire THEN -- in a database whose encoding is SQL_ASCII
      RAISE EXCEPTION USING
        ERRCODE = SQLSTATE,
        MESSAGE = SQLERRM,
        DETAIL = 'The query has columns that a temporary table, where the rows of a role without the privileges of '
                 'pg_write_server_files are kept first, cannot have, and names that are not ASCII.',
        HINT = 'Give the columns different names of ASCII characters, or export as a member of pg_write_server_files.';
  END;
  form := CASE
    WHEN changes THEN E'CREATE TEMP TABLE %1$I ON COMMIT DROP AS WITH q (%2$s) AS (%3$s\n) SELECT %4$s FROM q'
    WHEN columns.has_text OR needs_collation THEN
      E'CREATE TEMP TABLE %1$I ON COMMIT DROP AS SELECT %4$s FROM (%3$s\n) AS q (%2$s)'
    ELSE E'CREATE TEMP TABLE %1$I (%2$s) ON COMMIT DROP AS (%3$s\n)' END;
  EXECUTE pg_catalog.format(form, staged, columns.aliases, statement, columns.selected);
  RETURN columns.names;
EXCEPTION WHEN feature_not_supported THEN
  GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
  IF pg_catalog.regexp_match(message, '^WITH clause containing a data-modifying statement') IS NULL THEN
    RAISE;
  END IF;
  RAISE EXCEPTION USING
    ERRCODE = 'feature_not_supported',
    MESSAGE = message,
    DETAIL = 'The rows of a role without the privileges of pg_write_server_files are kept in a temporary table first.',
    HINT = 'Make the last statement a part of WITH, too, and SELECT from it columns that a table can have; '
           'or export as a member of pg_write_server_files.';
END
$$;

-- Fills a temporary table with the rows of the caller's query, with the caller's rights and search_path (so every name
-- is qualified). Returns NULL when the table has the columns of the query.
-- Some queries that COPY accepts must be rewritten: those with columns that a table can't have (two of one name, a
-- pseudo-type, a text without a collation), and INSERT, UPDATE, DELETE and MERGE with RETURNING. Their table has
-- columns of other names, and the names in the query are returned. PostgreSQL refuses such a query before it runs. It
-- is tried again only if that was the reason for the error, so that a query never runs twice.
CREATE OR REPLACE FUNCTION aws_s3._stage(statement text, staged text) RETURNS text[]
LANGUAGE plpgsql SECURITY INVOKER
AS $$
#variable_conflict use_variable
DECLARE
  message pg_catalog.text;
BEGIN
  -- In parentheses as in COPY, which refuses what can't be inside them. The line end closes a comment.
  EXECUTE pg_catalog.format(E'CREATE TEMP TABLE %I ON COMMIT DROP AS (%s\n)', staged, statement);
  RETURN NULL;
EXCEPTION
  WHEN duplicate_column OR invalid_table_definition THEN
    IF aws_s3._is_storable(statement, staged) THEN
      RAISE;
    END IF;
    RETURN aws_s3._stage_rewritten(statement, staged, changes => false, needs_collation => false);
  WHEN indeterminate_collation THEN
    IF aws_s3._is_storable(statement, staged) THEN
      RAISE;
    END IF;
    RETURN aws_s3._stage_rewritten(statement, staged, changes => false, needs_collation => true);
  WHEN syntax_error THEN
    IF pg_catalog.regexp_match(statement, E'^(?:\\s|--[^\\n]*\\n|/\\*.*?\\*/)*(?:insert|update|delete|merge|with)\\M', 'i') IS NULL
      OR aws_s3._is_storable(statement, staged) THEN
      RAISE;
    END IF;
    RETURN aws_s3._stage_rewritten(statement, staged, changes => true, needs_collation => false);
  WHEN too_many_columns OR program_limit_exceeded THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    IF pg_catalog.regexp_match(message, '^(tables can have at most|row is too big)') IS NULL THEN
      RAISE;
    END IF;
    RAISE EXCEPTION USING
      ERRCODE = SQLSTATE,
      MESSAGE = message,
      DETAIL = 'The rows of a role without the privileges of pg_write_server_files are kept in a temporary table first.',
      HINT = 'Export fewer or narrower columns at once, or export as a member of pg_write_server_files.';
END
$$;
