-- The role that copies staged rows to the agent's pipe. It may write to the pipe (pg_write_server_files), and read the
-- staged table and the schemas in the caller's search_path (pg_read_all_data). It is not a superuser, can't log in, has
-- no members and owns one function. Roles are shared by all databases of a server, so it may exist already because of
-- another database. A role of this name that somebody else has created is refused: its creator may be a member.
DO $$
DECLARE
  copier record;
BEGIN
  SELECT r.oid, r.rolsuper OR r.rolcanlogin OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls
    OR NOT r.rolinherit
    OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m WHERE m.roleid = r.oid)
    OR EXISTS (
      SELECT FROM pg_catalog.pg_auth_members AS m
      WHERE m.member = r.oid AND pg_catalog.pg_get_userbyid(m.roleid) NOT IN ('pg_write_server_files', 'pg_read_all_data'))
    AS is_foreign
  INTO copier
  FROM pg_catalog.pg_roles AS r
  WHERE r.rolname = 'sluice_copier';
  IF copier.oid IS NULL THEN
    CREATE ROLE sluice_copier NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT;
    COMMENT ON ROLE sluice_copier IS 'Copies staged rows to the pipe of the Sluice agent (extension aws_s3)';
  ELSIF copier.is_foreign THEN
    RAISE EXCEPTION USING
      ERRCODE = 'duplicate_object',
      MESSAGE = 'there is a role sluice_copier that is not the one of aws_s3',
      DETAIL = 'The role of aws_s3 is no superuser, can''t log in, has no members, and is a member of '
               'pg_write_server_files and pg_read_all_data only.',
      HINT = 'Rename or drop that role, and give the command again.';
  END IF;
  IF pg_catalog.current_setting('server_version_num')::integer >= 160000 THEN
    EXECUTE 'GRANT pg_write_server_files, pg_read_all_data TO sluice_copier WITH INHERIT TRUE, SET FALSE';
  ELSE
    GRANT pg_write_server_files, pg_read_all_data TO sluice_copier;
  END IF;
END
$$;
