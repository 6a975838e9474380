-- The export itself, with the rights of the caller. It keeps the caller's search_path, which the query needs. So every
-- name in this function is qualified, and no operator is used, as the caller's schemas could contain another of that
-- name.
CREATE OR REPLACE FUNCTION aws_s3._export(
  query text, bucket text, file_path text, region text, options text, kms_key text,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE plpgsql SECURITY INVOKER
AS $$
#variable_conflict use_variable
DECLARE
  random_name pg_catalog.text := pg_catalog.replace(pg_catalog.gen_random_uuid()::pg_catalog.text, '-', '');
  connection pg_catalog.text := pg_catalog.concat('aws_s3_', random_name);
  staged pg_catalog.text := pg_catalog.concat('aws_s3_staged_', random_name);
  missing pg_catalog.text := CASE
    WHEN query IS NULL THEN 'query' WHEN bucket IS NULL THEN 'bucket' WHEN file_path IS NULL THEN 'file_path' END;
  statement pg_catalog.text;
  export pg_catalog.record;
  published pg_catalog.record; -- assigned with := since CONTEXT would show the whole text of a SELECT INTO
  column_names pg_catalog.text[];
  row_count pg_catalog.int8;
  state pg_catalog.text;
BEGIN
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION USING
      ERRCODE = 'null_value_not_allowed',
      MESSAGE = pg_catalog.format('%s must not be NULL', missing),
      HINT = 'aws_s3.query_export_to_s3 needs query, bucket and file_path; region, options and kms_key may be left out.';
  END IF;
  statement := aws_s3._statement(query);
  statement := aws_s3._single(statement);

  IF pg_catalog.pg_has_role('pg_write_server_files', 'USAGE') THEN
    BEGIN
      BEGIN
        export := sluice.begin(connection, bucket, file_path, region, options, kms_key);
        -- The line end closes a comment at the end of the query.
        EXECUTE pg_catalog.format(E'COPY (%s\n) TO %L%s', statement, export.pipe, export.copy_options);
        GET DIAGNOSTICS row_count = ROW_COUNT;
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
      PERFORM sluice.abort(connection, NULL);
      RAISE;
    END;
    RETURN;
  END IF;

  IF pg_catalog.current_setting('transaction_read_only')::pg_catalog.bool THEN
    RAISE EXCEPTION USING
      ERRCODE = 'read_only_sql_transaction',
      MESSAGE = 'cannot export in a read-only transaction',
      DETAIL = 'The rows of a role without the privileges of pg_write_server_files are kept in a temporary table first.',
      HINT = CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN 'This server is a standby: export on the primary, or as a member of pg_write_server_files.'
        ELSE 'Export in a read-write transaction, or as a member of pg_write_server_files.' END;
  END IF;
  IF NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege',
      MESSAGE = pg_catalog.format(
        'permission denied to create temporary tables in database "%s"', pg_catalog.current_database()),
      DETAIL = 'The rows of a role without the privileges of pg_write_server_files are kept in a temporary table first.',
      HINT = pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I, or export as a member of pg_write_server_files.',
        pg_catalog.current_database(), current_user);
  END IF;
  column_names := aws_s3._stage(statement, staged);
  published := aws_s3._export_staged(
    pg_catalog.format('pg_temp.%I', staged)::pg_catalog.regclass, column_names, pg_catalog.current_schemas(true),
    bucket, file_path, region, options, kms_key);
  rows_uploaded := published.rows_uploaded;
  files_uploaded := published.files_uploaded;
  bytes_uploaded := published.bytes_uploaded;
  EXECUTE pg_catalog.format('DROP TABLE pg_temp.%I', staged);
END
$$;

CREATE OR REPLACE FUNCTION aws_s3.query_export_to_s3(
  query text, s3_info aws_commons._s3_uri_1, options text DEFAULT NULL, kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY INVOKER
AS $$
  SELECT e.rows_uploaded, e.files_uploaded, e.bytes_uploaded
  FROM aws_s3._export(query, (s3_info).bucket, (s3_info).file_path, (s3_info).region, options, kms_key) AS e
$$;

COMMENT ON FUNCTION aws_s3.query_export_to_s3(text, aws_commons._s3_uri_1, text, text)
IS 'Exports the result of a query to Amazon S3';

CREATE OR REPLACE FUNCTION aws_s3.query_export_to_s3(
  query text, bucket text, file_path text, region text DEFAULT NULL, options text DEFAULT NULL,
  kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY INVOKER
AS $$
  SELECT e.rows_uploaded, e.files_uploaded, e.bytes_uploaded
  FROM aws_s3._export(query, bucket, file_path, region, options, kms_key) AS e
$$;

COMMENT ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text)
IS 'Exports the result of a query to Amazon S3';

-- The name in the prose of Aurora's guide. Aurora itself has only the other name.
CREATE OR REPLACE FUNCTION aws_s3.export_query_to_s3(
  query text, s3_info aws_commons._s3_uri_1, options text DEFAULT NULL, kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY INVOKER
AS $$
  SELECT e.rows_uploaded, e.files_uploaded, e.bytes_uploaded
  FROM aws_s3._export(query, (s3_info).bucket, (s3_info).file_path, (s3_info).region, options, kms_key) AS e
$$;

COMMENT ON FUNCTION aws_s3.export_query_to_s3(text, aws_commons._s3_uri_1, text, text)
IS 'Exports the result of a query to Amazon S3; as query_export_to_s3';

CREATE OR REPLACE FUNCTION aws_s3.export_query_to_s3(
  query text, bucket text, file_path text, region text DEFAULT NULL, options text DEFAULT NULL,
  kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY INVOKER
AS $$
  SELECT e.rows_uploaded, e.files_uploaded, e.bytes_uploaded
  FROM aws_s3._export(query, bucket, file_path, region, options, kms_key) AS e
$$;

COMMENT ON FUNCTION aws_s3.export_query_to_s3(text, text, text, text, text, text)
IS 'Exports the result of a query to Amazon S3; as query_export_to_s3';
