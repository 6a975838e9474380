-- The agent's parse of the options, [{"name": ..., "value": ...}, ...], as the WITH list of COPY. Names and values are
-- quoted here, so that whatever the agent answers stays a list of options.
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
      -- header 1 is a Boolean, header '1' is not.
      WHEN 'number' THEN format('%I %s', o.option ->> 'name', (o.option ->> 'value')::integer)
      WHEN 'boolean' THEN format('%I *', o.option ->> 'name')
      ELSE format('%I', o.option ->> 'name')
    END, ', ' ORDER BY o.position) || ')', '')
  FROM jsonb_array_elements(options) WITH ORDINALITY AS o(option, position)
$$;

-- Whether a file of the server is a named pipe. No function tells the kind of a file, but a pipe is what can be opened
-- and cannot be positioned (ESPIPE, an internal_error to PostgreSQL). Opening it does not wait, since the agent holds a
-- new pipe open for writing until the first bytes come.
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

-- Opens the connection to the agent and an export on it. The agent names a pipe of its own folder; what is anything
-- else is refused, as COPY would write to it with the rights of the server. The token, which nobody but this session's
-- export knows, has two halves: the commit proves itself with the first, and the agent's answer with the second, as
-- the query could have put a connection of its own in the place of ours. The role decides the name of the AWS session.
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

-- The begin of a direct export. Its role is the one that the session is in, by SET ROLE or by its login: what a caller
-- says could be anything, and who called a SECURITY DEFINER function can't be seen in it. In a function that runs as its
-- owner that is the role that called it, not the owner.
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

-- Has the agent publish the objects. Until it answers, nothing of the export can be seen in S3.
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

-- Ends an export that failed in this session with the given SQLSTATE. The end of the connection is an abort to the
-- agent; nothing is waited for, as the agent may be what does not answer. Only when COPY failed as it does when it
-- cannot write to the pipe (internal_error) is the agent asked whether it had failed before; if so, raises its reason.
-- Otherwise returns, and the caller raises its own error again.
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
