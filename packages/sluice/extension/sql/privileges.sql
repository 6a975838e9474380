-- Schema sluice is closed to everybody, except the three calls of a direct export.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA sluice FROM PUBLIC;
GRANT USAGE ON SCHEMA sluice TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.begin(text, text, text, text, text, text) TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.commit(text, text, bigint) TO pg_write_server_files;
GRANT EXECUTE ON FUNCTION sluice.abort(text, text) TO pg_write_server_files;

-- Callers are granted the functions that they call (or all functions of the schema). The other functions of aws_s3 are
-- called by these.
REVOKE ALL ON FUNCTION aws_s3.export_query_to_s3(text, aws_commons._s3_uri_1, text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION aws_s3.export_query_to_s3(text, text, text, text, text, text) FROM PUBLIC;
