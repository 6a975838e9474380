-- Makes COPY's WITH list of the options as the agent has parsed them: [{"name": ..., "value": ...}, ...]. Names and
-- values are quoted here, so that the result is a list of options whatever the agent answers.
CREATE OR REPLACE FUNCTION sluice.copy_options(options jsonb) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(' WITH (' || string_agg(
    CASE pg_catalog.jsonb_typeof(o.option -> 'value')
      WHEN 'string' THEN format('%I %L', o.option ->> 'name', o.option ->> 'value')
      WHEN 'array' THEN format('%I (%s)', o.option ->> 'name',
        (SELECT string_agg(quote_ident(v.value), ', ' ORDER BY v.position)
         FROM jsonb_array_elements_text(o.option -> 'value') WITH ORDINALITY AS v(value, position)))
      -- COPY accepts header 1 as a Boolean, but not header '1'.
      WHEN 'number' THEN format('%I %s', o.option ->> 'name', (o.option ->> 'value')::integer)
      WHEN 'boolean' THEN format('%I *', o.option ->> 'name')
      ELSE format('%I', o.option ->> 'name')
    END, ', ' ORDER BY o.position) || ')', '')
  FROM jsonb_array_elements(options) WITH ORDINALITY AS o(option, position)
$$;

-- Whether a path on the server is a named pipe. PostgreSQL has no function for the type of a file, but a pipe can be
-- opened and not be positioned (lseek fails with ESPIPE, which PostgreSQL reports as internal_error). Opening it does
-- not wait, since the agent keeps a new pipe open for writing until the first bytes arrive.
CREATE OR REPLACE FUNCTION sluice.is_pipe(path text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM pg_read_binary_file(path, 1, 1);
  RETURN false;
EXCEPTION
  WHEN internal_error THEN
    RETURN true;
  WHEN undefined_file OR wrong_object_type OR insufficient_privilege THEN
    RETURN false;
END
$$;

-- Opens the connection to the agent and begins an export on it. The agent names a pipe in its own folder. Anything that
-- is not a pipe is refused, as COPY would write to it with the rights of the server.
-- Only this function's caller and the agent know the token. With its first half the commit proves that it is this
-- export's; with its second half the agent proves that the answer to the commit is its own, since the query could have
-- replaced our connection by one of its own. The role decides the name of the AWS session.
CREATE OR REPLACE FUNCTION sluice.begin_as(
  connection text, role text,
  bucket text, file_path text, region text, options text, kms_key text,
  OUT token text, OUT pipe text, OUT copy_options text, OUT is_binary boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  key text;
  answer jsonb;
  pipe_name text;
BEGIN
  key := sluice.connect(connection);
  answer := sluice.request(connection, jsonb_build_object(
    'op', 'begin',
    'key', key,
    'role', role,
    'database', current_database(),
    'pid', pg_backend_pid(),
    'clientEncoding', pg_client_encoding(),
    'bucket', bucket,
    'filePath', file_path,
    'region', region,
    'options', options,
    'backslashEscapes', current_setting('standard_conforming_strings') = 'off',
    'kmsKey', kms_key));
  token := substring(answer ->> 'token' FROM '^[0-9a-f]{64}$');
  pipe_name := substring(answer ->> 'pipe' FROM '^[0-9a-f]{32}$');
  pipe := sluice.agent_option('host') || '/pipes/' || pipe_name;
  IF token IS NULL OR pipe IS NULL OR jsonb_typeof(answer -> 'options') IS DISTINCT FROM 'array'
    OR NOT sluice.is_pipe(pipe) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'protocol_violation',
      MESSAGE = 'the Sluice agent gave an answer that makes no sense',
      HINT = 'Do the versions of the extension and the agent agree?';
  END IF;
  copy_options := sluice.copy_options(answer -> 'options');
  is_binary := answer -> 'options' @> '[{"name": "format", "value": "binary"}]';
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  PERFORM sluice.disconnect(connection);
  RAISE;
END
$$;

-- Begins a direct export. The role is the one that the session has by SET ROLE or by its login, as PostgreSQL knows it:
-- it is not an argument, as a caller could give any name. Inside a SECURITY DEFINER function this is the role that
-- called the function, not its owner.
CREATE OR REPLACE FUNCTION sluice.begin(
  connection text,
  bucket text, file_path text, region text, options text, kms_key text,
  OUT token text, OUT pipe text, OUT copy_options text, OUT is_binary boolean)
LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT b.token, b.pipe, b.copy_options, b.is_binary
  FROM sluice.begin_as(
    connection, coalesce(nullif(current_setting('role'), 'none'), session_user::text),
    bucket, file_path, region, options, kms_key) AS b
$$;

-- Makes the agent publish the objects. Before the agent publishes them, nothing of the export is visible in S3.
CREATE OR REPLACE FUNCTION sluice.commit(
  connection text, token text, row_count bigint,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  answer jsonb;
BEGIN
  answer := sluice.request(connection, jsonb_build_object(
    'op', 'commit', 'token', left(token, 32), 'rows', row_count::text));
  IF answer ->> 'receipt' IS DISTINCT FROM right(token, 32) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'protocol_violation',
      MESSAGE = 'the answer to the commit is not the Sluice agent''s',
      DETAIL = 'The connection to the agent was replaced while the query ran; the export was not committed.',
      HINT = 'Does the query call functions that use dblink?';
  END IF;
  PERFORM sluice.disconnect(connection);
  rows_uploaded := row_count;
  files_uploaded := (answer ->> 'files')::bigint;
  bytes_uploaded := (answer ->> 'bytes')::bigint;
END
$$;

-- Ends an export that failed in this session with the given SQLSTATE. Closing the connection aborts the export; nothing
-- is awaited, since the failure may be that the agent does not answer. Only after internal_error, the SQLSTATE of a
-- COPY that can't write to the pipe, the agent is asked whether it had failed before; its error is then raised. In all
-- other cases the function returns, and the caller raises its own error again.
CREATE OR REPLACE FUNCTION sluice.abort(connection text, state text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  answer jsonb;
BEGIN
  IF NOT sluice.is_connected(connection) THEN
    RETURN;
  END IF;
  IF state = 'XX000' THEN
    answer := sluice.request(connection, jsonb_build_object('op', 'abort'));
  END IF;
  PERFORM sluice.disconnect(connection);
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  PERFORM sluice.disconnect(connection);
  RAISE;
END
$$;
