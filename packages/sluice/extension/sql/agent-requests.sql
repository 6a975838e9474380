-- An option of the foreign server sluice_agent.
CREATE OR REPLACE FUNCTION sluice.agent_option(name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.option_value
  FROM pg_catalog.pg_foreign_server AS s, LATERAL pg_catalog.pg_options_to_table(s.srvoptions) AS o
  WHERE s.srvname = 'sluice_agent' AND o.option_name = name
$$;

-- The functions of dblink that Sluice uses, declared a second time in this schema. Those in dblink's own schema are not
-- called, because the name of that schema is not safe: its owner (of public, the owner of the database) can rename it
-- between two calls, and create another schema of that name with functions of his own.
CREATE OR REPLACE FUNCTION sluice.dblink_connect(connection text, connection_string text) RETURNS text
LANGUAGE c STRICT PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_connect';
CREATE OR REPLACE FUNCTION sluice.dblink_disconnect(connection text) RETURNS text
LANGUAGE c STRICT PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_disconnect';
CREATE OR REPLACE FUNCTION sluice.dblink_get_connections() RETURNS text[]
LANGUAGE c PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_get_connections';
CREATE OR REPLACE FUNCTION sluice.dblink_send_query(connection text, query text) RETURNS integer
LANGUAGE c STRICT PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_send_query';
CREATE OR REPLACE FUNCTION sluice.dblink_is_busy(connection text) RETURNS integer
LANGUAGE c STRICT PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_is_busy';
CREATE OR REPLACE FUNCTION sluice.dblink_get_result(connection text) RETURNS SETOF record
LANGUAGE c STRICT PARALLEL RESTRICTED AS '$libdir/dblink', 'dblink_get_result';

-- Quotes a value for a libpq connection string.
-- https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
-- (Here and below, backslashes occur in E'' only: the session may have standard_conforming_strings off.)
CREATE OR REPLACE FUNCTION sluice.conninfo_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '''' || replace(replace(value, E'\\', E'\\\\'), '''', E'\\''') || '''' $$;

-- Opens a connection to the agent, and returns its key. The agent begins an export only for a request that contains the
-- key. This protects a connection that was left open: a session that is cancelled again and again, or has no stack
-- left, may fail to close it, and dblink lets everybody use the open connections of a session.
CREATE OR REPLACE FUNCTION sluice.connect(connection text) RETURNS text
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  socket_directory text := sluice.agent_option('host');
  port text := sluice.agent_option('port');
  key text := replace(concat(gen_random_uuid(), gen_random_uuid()), '-', '');
  give_up_at timestamptz := clock_timestamp() + interval '8 s';
  tried_at timestamptz;
  reason text;
BEGIN
  LOOP
    tried_at := clock_timestamp();
    BEGIN
      -- The key comes first: dblink looks for a foreign server with the first 63 bytes as its name; no one can guess it.
      PERFORM sluice.dblink_connect(connection, format(
        'options=''-c sluice.key=%s'' host=%s port=%s user=sluice dbname=sluice sslmode=disable gssencmode=disable '
        'client_encoding=UTF8 connect_timeout=2',
        key, sluice.conninfo_value(socket_directory), sluice.conninfo_value(port)));
      RETURN key;
    EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
      GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
      -- An attempt that fails at once is final. An agent that does not answer gets more time, in slices of 2 s (libpq's
      -- minimum), because before PostgreSQL 16 dblink does not see a cancel while it connects.
      EXIT WHEN clock_timestamp() < tried_at + interval '1 s' OR clock_timestamp() > give_up_at;
    END;
  END LOOP;
  RAISE EXCEPTION USING
    ERRCODE = 'sqlclient_unable_to_establish_sqlconnection',
    MESSAGE = format('could not connect to the Sluice agent at "%s/.s.PGSQL.%s"', socket_directory, port),
    DETAIL = reason,
    HINT = 'Is the agent running on the database host (sluice agent --config sluice.toml)? If its socket_directory '
           'is another one, say so: ALTER SERVER sluice_agent OPTIONS (SET host ''<socket_directory>'').';
END
$$;

CREATE OR REPLACE FUNCTION sluice.is_connected(connection text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  RETURN coalesce(connection = ANY (sluice.dblink_get_connections()), false);
END
$$;

CREATE OR REPLACE FUNCTION sluice.disconnect(connection text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF sluice.is_connected(connection) THEN
    PERFORM sluice.dblink_disconnect(connection);
  END IF;
END
$$;

-- Sends a request to the agent and returns its answer. Both are UTF-8 JSON in hexadecimal, so that they are ASCII and
-- the database's encoding does not matter.
-- A cancel must take effect while the session waits for the answer, even if the agent never answers. Before PostgreSQL
-- 17 dblink() does not see a cancel while it waits, nor does dblink_get_result(). So there the function polls, and
-- calls dblink_get_result() only when the answer has arrived. From 17 on dblink_get_result() sees a cancel.
CREATE OR REPLACE FUNCTION sluice.ask(connection text, request jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  message text := 'sluice 2 ' || encode(convert_to(request::text, 'UTF8'), 'hex');
  answer text;
  poll_seconds double precision := 0.001;
BEGIN
  IF sluice.dblink_send_query(connection, message) = 0 THEN
    RAISE connection_failure;
  END IF;
  WHILE current_setting('server_version_num')::integer < 170000 LOOP
    EXIT WHEN sluice.dblink_is_busy(connection) = 0;
    PERFORM pg_sleep(poll_seconds);
    poll_seconds := least(poll_seconds * 1.5, 0.05);
  END LOOP;
  SELECT t.answer INTO answer FROM sluice.dblink_get_result(connection) AS t(answer text);
  IF answer IS NULL THEN
    RAISE connection_failure;
  END IF;
  -- Reads the end of the results; only then does the connection accept the next request.
  PERFORM FROM sluice.dblink_get_result(connection) AS t(answer text);
  RETURN convert_from(decode(answer, 'hex'), 'UTF8')::jsonb;
EXCEPTION WHEN connection_exception OR connection_failure OR connection_does_not_exist
  OR sqlclient_unable_to_establish_sqlconnection THEN -- the error of dblink for an unknown connection
  RAISE EXCEPTION USING
    ERRCODE = 'connection_failure',
    MESSAGE = 'lost the connection to the Sluice agent',
    DETAIL = CASE request ->> 'op'
      WHEN 'commit' THEN
        'The agent ended while it published the export: whether its objects are stored is not known.'
      ELSE 'The agent ended while it served this session; what it had uploaded of this export is not published.' END,
    HINT = CASE request ->> 'op'
      WHEN 'commit' THEN
        'When the agent runs again, it removes what it had stored of this export, where its role may, and says so in its '
        'log: look there, then export again.'
      ELSE 'Look at the agent''s log, and export again when it runs.' END;
END
$$;

-- Like sluice.ask, but raises the error in the agent's answer, if there is one. The agent answers within a second, with
-- "pending" if the work is not done, and the request is repeated: a wait inside dblink can't be cancelled on every
-- version, so PostgreSQL has to see a cancel between the requests. The error is raised here, since a function of its
-- own would add a line to the error's CONTEXT.
CREATE OR REPLACE FUNCTION sluice.request(connection text, request jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  answer jsonb;
  state text;
  message text;
  detail text;
  hint text;
BEGIN
  LOOP
    answer := sluice.ask(connection, request);
    EXIT WHEN answer ->> 'state' IS DISTINCT FROM 'pending';
  END LOOP;
  IF NOT answer ? 'error' THEN
    RETURN answer;
  END IF;
  state := substring(answer -> 'error' ->> 'sqlstate' FROM '^[0-9A-Z]{5}$');
  -- The SQLSTATEs of success and warnings can't be raised as errors.
  IF state IS NULL OR state ~ '^0[012]' THEN
    state := 'XX000';
  END IF;
  message := coalesce(answer -> 'error' ->> 'message', 'the Sluice agent failed and gave no reason');
  detail := answer -> 'error' ->> 'detail';
  hint := answer -> 'error' ->> 'hint';
  -- RAISE does not accept NULL for DETAIL and HINT.
  IF detail IS NULL AND hint IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message;
  ELSIF hint IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail;
  ELSIF detail IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, HINT = hint;
  ELSE
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = message, DETAIL = detail, HINT = hint;
  END IF;
END
$$;
