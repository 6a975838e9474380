-- Amazon Aurora's aws_s3 1.2, export side, over the Sluice agent.
-- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/postgresql-s3-export-functions.html
--
-- The bodies of functions are read with the settings of the session that calls them: a backslash stands in E'' only, as
-- standard_conforming_strings may be off.
--
-- Two schemas. In aws_s3 stands what callers are granted; administrators grant on it as a whole, so every function in
-- it must be harmless to whoever may call it. In sluice stands what talks to the agent. Nobody may use it but the
-- functions of aws_s3 that run as the extension's owner, and, for the three calls of a direct export, the members of
-- pg_write_server_files, who may write any file of the server anyway.
--
-- An export runs the caller's query with the caller's rights, in one of two ways (aws_s3._export):
--   direct  COPY (query) TO the agent's pipe, by a caller who may write server files;
--   staged  the query fills a temporary table, and only then does the extension's owner COPY that table to the pipe:
--           nothing that the caller wrote runs with the owner's rights, or while a connection to the agent is open.
\echo Use "CREATE EXTENSION aws_s3 CASCADE" to load this file. \quit

CREATE SCHEMA aws_s3;
CREATE SCHEMA sluice;
REVOKE ALL ON SCHEMA sluice FROM PUBLIC;

-- ---------------------------------------------------------------------------------------------------------------
-- sluice: requests to the agent
-- ---------------------------------------------------------------------------------------------------------------

-- Where the agent listens: a foreign server, as only its owner can change it (a setting could be SET by anybody).
-- sluice.socket_directory counts when it stands in the server's configuration files; pg_file_settings shows those
-- only, whatever a session, a role or a database has set.
DO $$
DECLARE
  socket_directory text;
BEGIN
  SELECT f.setting INTO socket_directory
  FROM pg_catalog.pg_file_settings AS f
  WHERE f.name = 'sluice.socket_directory' AND f.error IS NULL
  ORDER BY f.seqno DESC LIMIT 1;
  EXECUTE pg_catalog.format(
    'CREATE SERVER sluice_agent FOREIGN DATA WRAPPER dblink_fdw OPTIONS (host %L, port %L)',
    coalesce(socket_directory, '/run/sluice'), '5432');
END
$$;

COMMENT ON SERVER sluice_agent
IS 'The Sluice agent: host is the directory of its socket, agent.socket_directory in sluice.toml';

CREATE FUNCTION sluice.agent_option(name text) RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT o.option_value
  FROM pg_catalog.pg_foreign_server AS s, LATERAL pg_catalog.pg_options_to_table(s.srvoptions) AS o
  WHERE s.srvname = 'sluice_agent' AND o.option_name = name
$$;

-- The schema that dblink was installed in, quoted.
CREATE FUNCTION sluice.dblink_schema() RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT pg_catalog.quote_ident(n.nspname)
  FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  WHERE e.extname = 'dblink'
$$;

-- A value of a libpq connection string.
-- https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE
-- (Backslashes stand in E'' only, here and below: the session may have standard_conforming_strings off.)
CREATE FUNCTION sluice.conninfo_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT '''' || replace(replace(value, E'\\', E'\\\\'), '''', E'\\''') || '''' $$;

CREATE FUNCTION sluice.connect(connection text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  socket_directory text := sluice.agent_option('host');
  port text := sluice.agent_option('port');
  give_up_at timestamptz := clock_timestamp() + interval '8 s';
  tried_at timestamptz;
  reason text;
BEGIN
  LOOP
    tried_at := clock_timestamp();
    BEGIN
      EXECUTE format('SELECT %s.dblink_connect($1, $2)', sluice.dblink_schema())
      USING connection, format(
        'host=%s port=%s user=sluice dbname=sluice sslmode=disable gssencmode=disable client_encoding=UTF8 connect_timeout=2',
        sluice.conninfo_value(socket_directory), sluice.conninfo_value(port));
      RETURN;
    EXCEPTION WHEN sqlclient_unable_to_establish_sqlconnection THEN
      GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
      -- What is refused at once is final. An agent that gives no answer gets more time, in slices (2 s is libpq's
      -- least), as a cancel is not seen inside dblink before PostgreSQL 16.
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

CREATE FUNCTION sluice.is_connected(connection text) RETURNS boolean
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  open_connections text[];
BEGIN
  EXECUTE format('SELECT %s.dblink_get_connections()', sluice.dblink_schema()) INTO open_connections;
  RETURN coalesce(connection = ANY (open_connections), false);
END
$$;

CREATE FUNCTION sluice.disconnect(connection text) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF sluice.is_connected(connection) THEN
    EXECUTE format('SELECT %s.dblink_disconnect($1)', sluice.dblink_schema()) USING connection;
  END IF;
END
$$;

-- Sends a request to the agent and returns its answer. Both travel as the hexadecimal form of UTF-8 JSON: ASCII only,
-- so that the database's encoding does not matter. A cancel must be seen while the answer is waited for, even when the
-- agent gives none. dblink() does not see it before PostgreSQL 17, and then waits for the rest of the answer all the
-- same; dblink_get_result() sees it from 17 on, and before that is called only when there is an answer.
CREATE FUNCTION sluice.ask(connection text, request jsonb) RETURNS jsonb
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  dblink text := sluice.dblink_schema();
  message text := 'sluice 1 ' || encode(convert_to(request::text, 'UTF8'), 'hex');
  answer text;
  is_sent integer;
  is_busy integer;
  poll_seconds double precision := 0.001;
BEGIN
  EXECUTE format('SELECT %s.dblink_send_query($1, $2)', dblink) INTO is_sent USING connection, message;
  IF is_sent = 0 THEN
    RAISE connection_failure;
  END IF;
  WHILE current_setting('server_version_num')::integer < 170000 LOOP
    EXECUTE format('SELECT %s.dblink_is_busy($1)', dblink) INTO is_busy USING connection;
    EXIT WHEN is_busy = 0;
    PERFORM pg_sleep(poll_seconds);
    poll_seconds := least(poll_seconds * 1.5, 0.05);
  END LOOP;
  EXECUTE format('SELECT answer FROM %s.dblink_get_result($1) AS t(answer text)', dblink)
  INTO answer USING connection;
  IF answer IS NULL THEN
    RAISE connection_failure;
  END IF;
  -- The end of the results, after which the connection takes the next request.
  EXECUTE format('SELECT answer FROM %s.dblink_get_result($1) AS t(answer text)', dblink) USING connection;
  RETURN convert_from(decode(answer, 'hex'), 'UTF8')::jsonb;
EXCEPTION WHEN connection_exception OR connection_failure OR connection_does_not_exist
  OR sqlclient_unable_to_establish_sqlconnection THEN -- how dblink takes a name that is not open any more
  RAISE EXCEPTION USING
    ERRCODE = 'connection_failure',
    MESSAGE = 'lost the connection to the Sluice agent',
    DETAIL = 'The agent ended while it served this session; what it had uploaded of this export is not published.',
    HINT = 'Look at the agent''s log, and export again when it runs.';
END
$$;

-- Like sluice.ask, but an error that the agent answers is raised. Long work is answered in slices of under a second
-- ("pending"), so that PostgreSQL comes to see a cancel in between: a wait inside dblink can't be cancelled on every
-- version. The error is raised here, not in a function of its own, as each would add a line to its CONTEXT.
CREATE FUNCTION sluice.request(connection text, request jsonb) RETURNS jsonb
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
  -- Success and warnings are no errors.
  IF state IS NULL OR state ~ '^0[012]' THEN
    state := 'XX000';
  END IF;
  message := coalesce(answer -> 'error' ->> 'message', 'the Sluice agent failed and gave no reason');
  detail := answer -> 'error' ->> 'detail';
  hint := answer -> 'error' ->> 'hint';
  -- RAISE takes no NULL for DETAIL and HINT.
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

-- ---------------------------------------------------------------------------------------------------------------
-- sluice: the life of an export (begin, COPY, commit or abort)
-- ---------------------------------------------------------------------------------------------------------------

-- The agent's parse of the options, [{"name": ..., "value": ...}, ...], as the WITH list of COPY. Names and values are
-- quoted here, so that whatever the agent answers stays a list of options.
CREATE FUNCTION sluice.copy_options(options jsonb) RETURNS text
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
CREATE FUNCTION sluice.is_pipe(path text) RETURNS boolean
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
-- the query could have put a connection of its own in the place of ours.
CREATE FUNCTION sluice.begin(
  connection text, caller text,
  bucket text, file_path text, region text, options text, kms_key text,
  OUT token text, OUT pipe text, OUT copy_options text, OUT is_binary boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  answer jsonb;
  pipe_name text;
BEGIN
  PERFORM sluice.connect(connection);
  answer := sluice.request(connection, jsonb_build_object(
    'op', 'begin',
    'role', caller,
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

-- Has the agent publish the objects. Until it answers, nothing of the export can be seen in S3.
CREATE FUNCTION sluice.commit(
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
CREATE FUNCTION sluice.abort(connection text, state text) RETURNS void
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

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sluice FROM PUBLIC;
GRANT USAGE ON SCHEMA sluice TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.begin(text, text, text, text, text, text, text) TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.commit(text, text, bigint) TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.abort(text, text) TO pg_write_server_files;

-- ---------------------------------------------------------------------------------------------------------------
-- aws_s3: what callers are granted
-- ---------------------------------------------------------------------------------------------------------------

-- The query without the semicolon, and what follows it, that people leave at its end. Where a semicolon stands inside,
-- the agent says where the statement ends (it knows strings and comments from the rest), and refuses a second one. What
-- it answers can only be less of the same query. One that is too long to be worth the time comes back as it is.
-- (x0B is a vertical tab, for which E'' has no letter before PostgreSQL 16.)
CREATE FUNCTION aws_s3._statement(query text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  statement text := rtrim(query, E' \t\r\n\f\x0B;');
  connection text;
  answer text;
BEGIN
  IF statement = '' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'syntax_error',
      MESSAGE = 'query must not be empty',
      HINT = 'Give a query that COPY (query) TO takes: SELECT, VALUES, TABLE, WITH, or INSERT, UPDATE or DELETE with RETURNING.';
  END IF;
  IF strpos(statement, ';') = 0 OR octet_length(statement) > 1000000 THEN
    RETURN statement;
  END IF;
  connection := 'aws_s3_' || replace(gen_random_uuid()::text, '-', '');
  PERFORM sluice.connect(connection);
  answer := sluice.request(connection, jsonb_build_object(
    'op', 'statement',
    'query', statement,
    'backslashEscapes', current_setting('standard_conforming_strings') = 'off')) ->> 'statement';
  PERFORM sluice.disconnect(connection);
  IF answer IS NULL OR NOT starts_with(statement, answer) OR ltrim(substr(statement, length(answer) + 1, 1), ';') <> '' THEN
    RAISE EXCEPTION USING
      ERRCODE = 'protocol_violation',
      MESSAGE = 'the Sluice agent gave an answer that makes no sense',
      HINT = 'Do the versions of the extension and the agent agree?';
  END IF;
  RETURN answer;
EXCEPTION
  -- In a database whose encoding is SQL_ASCII a text may be no UTF-8: nobody but PostgreSQL can read it.
  WHEN character_not_in_repertoire OR untranslatable_character THEN
    PERFORM sluice.disconnect(connection);
    RETURN statement;
  WHEN query_canceled OR assert_failure OR OTHERS THEN
    IF connection IS NOT NULL THEN
      PERFORM sluice.disconnect(connection);
    END IF;
    RAISE;
END
$$;

-- The character with that number in Unicode; chr() takes the numbers of the database's own encoding.
CREATE FUNCTION aws_s3._character(code_point integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
  SELECT CASE
    WHEN code_point < 128 THEN chr(code_point)
    -- Its bytes in UTF-8: the marks of the first byte and of those that follow, and six bits in each of these.
    ELSE convert_from(decode(to_hex((code_point & 63) + ((code_point >> 6 & 63) << 8) + CASE
      WHEN code_point < 2048 THEN 49280::bigint -- C080
      WHEN code_point < 65536 THEN 14712960 + (code_point >> 12 << 16) -- E08080
      ELSE 4034953344 + ((code_point >> 12 & 63) << 16) + (code_point >> 18 << 24) -- F0808080
    END), 'hex'), 'UTF8')
  END
$$;

-- The columns of a query, by the XML Schema that cursor_to_xmlschema gives, and how a table can hold them:
--   names      as the query has them
--   aliases    c1, c2, ...
--   selected   the select list that makes of the aliases what a table can hold. A column t1, t2, ... is the text of a
--              pseudo-type (record, void, anyarray in pg_stats, ...): format('%s') is what COPY writes of it, where a
--              cast to text need not be. A text that has no collation, or several, gets one; COPY does not compare.
--   has_text   there is a column t1, t2, ...
-- https://www.postgresql.org/docs/current/functions-xml.html#FUNCTIONS-XML-MAPPING
CREATE FUNCTION aws_s3._columns(
  xml_schema text,
  OUT names text[], OUT aliases text, OUT selected text, OUT has_text boolean)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
  WITH RECURSIVE unstorable AS (
    -- Pseudo-types, arrays of them, and row types with them, as those of pg_statistic and pg_stats. All are built in.
    SELECT t.oid, t.typname, t.typnamespace FROM pg_type AS t WHERE t.typtype = 'p'
    UNION
    SELECT t.oid, t.typname, t.typnamespace
    FROM unstorable AS u JOIN pg_type AS t ON t.typnamespace = u.typnamespace AND (t.typelem = u.oid OR EXISTS (
      SELECT FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.atttypid = u.oid))
  ), elements AS (
    SELECT e.position, e.match[2] AS type, (
      -- _x0020_ stands for the character with that number.
      SELECT string_agg(
        CASE WHEN c.match[2] IS NULL THEN c.match[1]
          ELSE aws_s3._character(('x' || lpad(c.match[2], 8, '0'))::bit(32)::integer) END, '' ORDER BY c.position)
      FROM regexp_matches(e.match[1], '(_x([0-9A-F]{4,8})_|.)', 'g') WITH ORDINALITY AS c(match, position)
    ) AS name
    FROM regexp_matches(xml_schema, '<xsd:element name="([^"]+)" type="([^"]+)" nillable="true"></xsd:element>', 'g')
      WITH ORDINALITY AS e(match, position)
  ), columns AS (
    SELECT e.position, e.name,
      -- UDT.database.schema.type; a period within a name is _x002E_.
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

-- Whether a table can be made of the query as it is; it does not run. What reading it tells is told when it runs.
CREATE FUNCTION aws_s3._is_storable(statement text, staged text) RETURNS boolean
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

-- The columns of a query as XML Schema. A cursor that is not fetched from runs nothing; what reading the query tells is
-- told when it runs.
CREATE FUNCTION aws_s3._xml_schema(statement text) RETURNS text
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

-- As aws_s3._stage, for a query of which no table can be made as it is; returns the names of the query's columns.
-- changes: it is an INSERT, UPDATE, DELETE or MERGE. needs_collation: it has a text without one.
CREATE FUNCTION aws_s3._stage_rewritten(statement text, staged text, changes boolean, needs_collation boolean)
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
-- is qualified). Some queries that COPY takes need help: those with columns that a table can't have (two of one name,
-- a pseudo-type, a text without a collation), and INSERT, UPDATE, DELETE and MERGE with RETURNING. The columns of the
-- table are then not named as the query's, whose names are returned. Such a query is refused before it runs, and is
-- tried again only if that was the reason: a query runs once.
CREATE FUNCTION aws_s3._stage(statement text, staged text) RETURNS text[]
LANGUAGE plpgsql SECURITY INVOKER
AS $$
#variable_conflict use_variable
DECLARE
  message pg_catalog.text;
BEGIN
  -- In parentheses as in COPY, so that what may not stand there may not here. The line end closes a comment.
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

-- Exports a temporary table of this session that holds the rows of its owner's query. Harmless when called alone: the
-- owner of the table, who can't be forged, must be allowed to export, and what is read is the owner's own rows. The
-- table is plain, nothing but its row type and its TOAST table depends on it, and its columns' types have output
-- functions that only superusers can make, so that nothing that a user wrote runs here. (The expressions of indexes,
-- statistics and constraints would: planning a query of the table evaluates what is constant in them.) The schemas that
-- the caller searches are searched while COPY runs, as the output of types such as regclass depends on them; COPY of a
-- qualified table, or of its columns, looks up no other name.
CREATE FUNCTION aws_s3._export_staged(
  staged regclass, column_names text[], caller_schemas name[],
  bucket text, file_path text, region text, options text, kms_key text,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
  connection text := 'aws_s3_' || replace(gen_random_uuid()::text, '-', '');
  staged_table record;
  export record;
  published record;
  source text;
  searched text;
  text_column text;
  copy_statement text;
  row_count bigint;
  state text;
BEGIN
  SELECT c.relname, n.nspname, c.relowner INTO staged_table
  FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE c.oid = staged AND c.relnamespace = pg_my_temp_schema()
    AND c.relkind = 'r' AND c.relpersistence = 't' AND NOT c.relispartition
    AND c.relname ~ '^aws_s3_staged_[0-9a-f]{32}$'
    AND NOT EXISTS (
      SELECT FROM pg_depend AS d
      WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        AND (d.classid, d.objid) <> ('pg_type'::regclass, c.reltype)
        AND (d.classid, d.objid) <> ('pg_class'::regclass, c.reltoastrelid));
  IF NOT FOUND THEN
    RAISE EXCEPTION USING
      ERRCODE = 'wrong_object_type',
      MESSAGE = 'not a table of staged rows',
      HINT = 'Call aws_s3.query_export_to_s3, which makes it.';
  END IF;
  IF NOT has_schema_privilege(staged_table.relowner, 'aws_s3', 'USAGE') OR NOT (
    has_function_privilege(staged_table.relowner,
      'aws_s3.query_export_to_s3(text, aws_commons._s3_uri_1, text, text)', 'EXECUTE')
    OR has_function_privilege(staged_table.relowner,
      'aws_s3.query_export_to_s3(text, text, text, text, text, text)', 'EXECUTE')) THEN
    RAISE EXCEPTION USING
      ERRCODE = 'insufficient_privilege',
      MESSAGE = 'permission denied for function query_export_to_s3';
  END IF;

  export := sluice.begin(connection, pg_get_userbyid(staged_table.relowner)::text,
    bucket, file_path, region, options, kms_key);
  source := format('%I.%I', staged_table.nspname, staged_table.relname);
  searched := (
    SELECT coalesce(string_agg(quote_ident(s.name), ', ' ORDER BY s.position), '')
    FROM unnest(caller_schemas) WITH ORDINALITY AS s(name, position));
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
  copy_statement := format('COPY %s TO %L%s', source, export.pipe, export.copy_options);
  PERFORM set_config('search_path', searched, true);
  EXECUTE copy_statement;
  GET DIAGNOSTICS row_count = ROW_COUNT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  published := sluice.commit(connection, export.token, row_count);
  rows_uploaded := published.rows_uploaded;
  files_uploaded := published.files_uploaded;
  bytes_uploaded := published.bytes_uploaded;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE;
  PERFORM sluice.abort(connection, state);
  RAISE;
END
$$;

-- The statement, which PostgreSQL has read by itself: one that would go on outside of the parentheses or the statement
-- that it is put into is refused here. A cursor that is opened runs nothing yet. It can't be opened for several
-- statements, nor for one that returns no rows, which COPY refuses in its own words. Notices of reading it are left
-- out, as they come once more when it runs.
CREATE FUNCTION aws_s3._single(statement text) RETURNS text
LANGUAGE plpgsql SECURITY INVOKER
SET client_min_messages = error
AS $$
#variable_conflict use_variable
DECLARE
  probe pg_catalog.refcursor;
BEGIN
  OPEN probe FOR EXECUTE statement;
  CLOSE probe;
  RETURN statement;
EXCEPTION WHEN invalid_cursor_definition THEN
  IF pg_catalog.strpos(statement, ';') OPERATOR(pg_catalog.>) 0 THEN
    RAISE EXCEPTION USING
      ERRCODE = 'syntax_error',
      MESSAGE = 'cannot export the results of several statements at once, nor of one that returns no rows',
      HINT = 'Call aws_s3.query_export_to_s3 once for each query.';
  END IF;
  RETURN statement;
END
$$;

-- The export itself, with the rights of the caller. The caller's search_path is in force, as the query needs it: every
-- name here is qualified, and no operator is used.
CREATE FUNCTION aws_s3._export(
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
  published pg_catalog.record; -- assigned, as a statement would stand in CONTEXT with all of its text
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
      export := sluice.begin(connection, current_user::pg_catalog.text,
        bucket, file_path, region, options, kms_key);
      -- The line end closes a comment at the query's end.
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

CREATE FUNCTION aws_s3.query_export_to_s3(
  query text, s3_info aws_commons._s3_uri_1, options text DEFAULT NULL, kms_key text DEFAULT NULL,
  OUT rows_uploaded bigint, OUT files_uploaded bigint, OUT bytes_uploaded bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY INVOKER
AS $$
  SELECT e.rows_uploaded, e.files_uploaded, e.bytes_uploaded
  FROM aws_s3._export(query, (s3_info).bucket, (s3_info).file_path, (s3_info).region, options, kms_key) AS e
$$;

COMMENT ON FUNCTION aws_s3.query_export_to_s3(text, aws_commons._s3_uri_1, text, text)
IS 'Exports the result of a query to Amazon S3';

CREATE FUNCTION aws_s3.query_export_to_s3(
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

-- Callers are granted these two (or all functions of the schema); the rest of aws_s3 serves them.
REVOKE ALL ON FUNCTION aws_s3.query_export_to_s3(text, aws_commons._s3_uri_1, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) FROM PUBLIC;
