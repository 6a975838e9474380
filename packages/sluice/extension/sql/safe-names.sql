-- Until the end of this script. PostgreSQL runs it with the schema that the extension is in, which may be public, where
-- others may have made operators and functions that fit what is called here better than those of pg_catalog.
-- https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-SECURITY-SCRIPTS
SET LOCAL search_path = pg_catalog, pg_temp;
