-- The other name, export_query_to_s3, gets the privileges that were granted on query_export_to_s3.
DO $$
DECLARE
  privilege record;
BEGIN
  FOR privilege IN
    SELECT
      pg_catalog.replace(p.oid::pg_catalog.regprocedure::text, 'query_export_to_s3', 'export_query_to_s3') AS alias,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS grantee,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS suffix
    FROM pg_catalog.pg_proc AS p, LATERAL pg_catalog.aclexplode(p.proacl) AS a
    WHERE p.pronamespace = 'aws_s3'::pg_catalog.regnamespace AND p.proname = 'query_export_to_s3'
      AND a.grantee <> p.proowner
  LOOP
    EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %s%s', privilege.alias, privilege.grantee, privilege.suffix);
  END LOOP;
END
$$;
