CREATE SCHEMA aws_s3;
CREATE SCHEMA sluice;
REVOKE ALL ON SCHEMA sluice FROM PUBLIC;

-- Where the agent listens, as an option of a foreign server, which only the server's owner can change; a setting could
-- be changed by anybody with SET. The initial value is sluice.socket_directory, if it is in the configuration files. It
-- is read from pg_file_settings, which shows only the files, and not what a session, a role or a database has set.
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
