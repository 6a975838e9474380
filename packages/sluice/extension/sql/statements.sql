-- The query without the semicolon, and what follows it, that people leave at its end. Where a semicolon stands inside,
-- the agent says where the statement ends (it knows strings and comments from the rest), and refuses a second one. What
-- it answers can only be less of the same query. One that is too long to be worth the time comes back as it is.
-- (x0B is a vertical tab, for which E'' has no letter before PostgreSQL 16.)
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

-- The statement, which PostgreSQL has read by itself: one that would go on outside of the parentheses or the statement
-- that it is put into is refused here. A cursor that is opened runs nothing yet. It can't be opened for several
-- statements, nor for one that returns no rows, which COPY refuses in its own words. Notices of reading it are left
-- out, as they come once more when it runs.
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
