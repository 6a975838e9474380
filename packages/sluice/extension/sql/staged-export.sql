-- Whether a row was written by the current transaction or one of its subtransactions, by the row's xmin. A row that
-- this session sees, and whose transaction is in progress, can only be its own. xmin has 32 bits. The ids of
-- subtransactions follow that of their transaction, so the full id is computed by counting forward from the
-- transaction's own.
CREATE OR REPLACE FUNCTION sluice.is_of_this_transaction(id xid) RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  this bigint := pg_current_xact_id()::text::bigint;
  ahead bigint := (id::text::bigint - this) & 4294967295;
BEGIN
  RETURN ahead < 2147483648 AND pg_xact_status((this + ahead)::text::xid8) = 'in progress';
END
$$;

-- The name and owner of a table of staged rows, by its oid; NULLs when it is anything else. What is checked:
-- - It is a plain temporary table of this session.
-- - Nothing depends on it except its row type and its TOAST table: expressions of indexes, statistics, rules and
--   constraints could call functions of a user. (The output functions of its columns' types are no danger, as only
--   superusers can create types with them.)
-- - It was made by the current transaction. This shows in the row of pg_depend that ties it to its schema, and that
--   nothing can change. So no other session has ever seen it, and none can change it between this check and the COPY.
--   (Members of pg_read_all_data and pg_write_all_data may use the temporary schemas of others.)
CREATE OR REPLACE FUNCTION sluice.staged_table(staged regclass, OUT name text, OUT owner oid)
LANGUAGE plpgsql VOLATILE -- plpgsql caches the plan; functions in SQL do so only from PostgreSQL 18 on
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  SELECT c.relname, c.relowner INTO name, owner
  FROM pg_class AS c
  WHERE c.oid = staged AND c.relnamespace = pg_my_temp_schema()
    AND c.relkind = 'r' AND c.relpersistence = 't' AND NOT c.relispartition AND c.reloftype = 0
    AND NOT c.relhasrules AND NOT c.relrowsecurity
    AND c.relname ~ '^aws_s3_staged_[0-9a-f]{32}$'
    AND NOT EXISTS (SELECT FROM pg_inherits AS i WHERE staged IN (i.inhrelid, i.inhparent))
    AND EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
        AND d.refclassid = 'pg_namespace'::regclass AND d.refobjid = c.relnamespace
        AND sluice.is_of_this_transaction(d.xmin))
    AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        AND (d.classid, d.objid) <> ('pg_type'::regclass, c.reltype)
        AND (d.classid, d.objid) <> ('pg_class'::regclass, c.reltoastrelid));
END
$$;

-- Copies staged rows to the pipe, and returns their number. Runs as sluice_copier: if a user's code ran here in spite
-- of the checks, it would not run as a superuser. The caller's schemas are in search_path during the COPY, because the
-- output of types such as regclass depends on it. COPY of a qualified table, or of its columns, looks up no other name.
CREATE OR REPLACE FUNCTION sluice.copy_staged(
  source text, pipe text, copy_options text, caller_schemas name[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
  copy_statement text := format('COPY %s TO %L%s', source, pipe, copy_options);
  searched text := (
    SELECT coalesce(string_agg(quote_ident(s.name), ', ' ORDER BY s.position), '')
    FROM unnest(caller_schemas) WITH ORDINALITY AS s(name, position));
  row_count bigint;
BEGIN
  PERFORM set_config('search_path', searched, true);
  EXECUTE copy_statement;
  GET DIAGNOSTICS row_count = ROW_COUNT;
  RETURN row_count;
END
$$;

ALTER FUNCTION sluice.copy_staged(text, text, text, name[]) OWNER TO sluice_copier;

-- Exports a temporary table of this session that holds the rows of its owner's query. Harmless when it is called
-- directly: the owner of the table, which can't be forged, must be allowed to export; only the owner's rows are read;
-- and no code of a user runs here (sluice.staged_table).
CREATE OR REPLACE FUNCTION aws_s3._export_staged(
  staged regclass, column_names text[], caller_schemas name[],
  bucket text, file_path text, region text, options text, kms_key text,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
  connection text := 'aws_s3_' || replace(gen_random_uuid()::text, '-', '');
  staged_name text;
  staged_owner oid;
  export record;
  published record;
  source text;
  text_column text;
  row_count bigint;
  state text;
BEGIN
  BEGIN
    -- Checked, locked, and checked again. The first check prevents that other tables are locked.
    SELECT t.name INTO staged_name FROM sluice.staged_table(staged) AS t;
    IF staged_name IS NOT NULL THEN
      EXECUTE format('LOCK TABLE ONLY pg_temp.%I IN ACCESS EXCLUSIVE MODE', staged_name);
      SELECT t.name, t.owner INTO staged_name, staged_owner FROM sluice.staged_table(staged) AS t;
    END IF;
    IF staged_name IS NULL THEN
      RAISE EXCEPTION USING
        ERRCODE = 'wrong_object_type',
        MESSAGE = 'not a table of staged rows',
        HINT = 'Call aws_s3.query_export_to_s3, which makes it.';
    END IF;
    IF NOT has_schema_privilege(staged_owner, 'aws_s3', 'USAGE') OR NOT EXISTS (
      SELECT FROM pg_proc AS p
      WHERE p.pronamespace = 'aws_s3'::regnamespace AND p.proname IN ('query_export_to_s3', 'export_query_to_s3')
        AND has_function_privilege(staged_owner, p.oid, 'EXECUTE')) THEN
      RAISE EXCEPTION USING
        ERRCODE = 'insufficient_privilege',
        MESSAGE = 'permission denied for function query_export_to_s3';
    END IF;

    export := sluice.begin_as(connection, pg_get_userbyid(staged_owner)::text,
      bucket, file_path, region, options, kms_key);
    source := format('pg_temp.%I', staged_name);
    IF column_names IS NOT NULL THEN
      SELECT
        format('(SELECT %s FROM ONLY %s)', string_agg(format('%I AS %I', a.attname, n.name), ', ' ORDER BY n.position), source),
        min(n.name) FILTER (WHERE a.attname ~ '^t')
      INTO source, text_column
      FROM unnest(column_names) WITH ORDINALITY AS n(name, position)
        JOIN pg_attribute AS a ON a.attrelid = staged AND a.attnum = n.position;
      IF text_column IS NOT NULL AND export.is_binary THEN
        RAISE EXCEPTION USING
          ERRCODE = 'feature_not_supported',
          MESSAGE = format('cannot export column "%s" in binary format, as it has a pseudo-type', text_column),
          DETAIL = 'The rows of a role without the privileges of pg_write_server_files are kept in a temporary table first.',
          HINT = 'Use the text or csv format, cast the column to a type that a table can have, or export as a member of pg_write_server_files.';
      END IF;
    END IF;
    row_count := sluice.copy_staged(source, export.pipe, export.copy_options, caller_schemas);
    published := sluice.commit(connection, export.token, row_count);
    rows_uploaded := published.rows_uploaded;
    files_uploaded := published.files_uploaded;
    bytes_uploaded := published.bytes_uploaded;
  EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
    PERFORM sluice.abort(connection, state);
    RAISE;
  END;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  -- The session may have been cancelled while it was in the handler above.
  PERFORM sluice.disconnect(connection);
  RAISE;
END
$$;
