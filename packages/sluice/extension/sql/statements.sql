-- The query without semicolons and white space at its end. If there is a semicolon inside, the agent, which can tell
-- strings and comments from the rest, finds the end of the statement, and refuses a second statement. Its answer is
-- accepted only if it is the beginning of the same query, so the agent can do no more than cut it. A query of more than
-- a million bytes is returned unchanged.
-- (x0B is a vertical tab; E'' has no letter for it before PostgreSQL 16.)
CREATE OR REPLACE FUNCTION aws_s3._statement(query text) RETURNS text
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
  BEGIN
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
    -- In a database with encoding SQL_ASCII a text may not be valid UTF-8, so the agent can't read it.
    WHEN character_not_in_repertoire OR untranslatable_character THEN
      PERFORM sluice.disconnect(connection);
      RETURN statement;
    WHEN query_canceled OR assert_failure OR OTHERS THEN
      PERFORM sluice.disconnect(connection);
      RAISE;
  END;
EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
  -- The session may have been cancelled while it was in the handler above.
  IF connection IS NOT NULL THEN
    PERFORM sluice.disconnect(connection);
  END IF;
  RAISE;
END
$$;

-- Returns the statement if PostgreSQL can parse it by itself. This refuses a text that closes the parentheses, or the
-- statement, in which it is placed later, and goes on with other SQL. Opening a cursor does not run the query. A cursor
-- can't be opened for several statements; nor for one that returns no rows, which COPY refuses with its own error.
-- Notices are suppressed here, because they come again when the query runs.
CREATE OR REPLACE FUNCTION aws_s3._single(statement text) RETURNS text
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
