-- In force until the end of this script. PostgreSQL runs the script with the extension's schema in search_path. That
-- may be public, where others may have created operators and functions that match a call here better than those of
-- pg_catalog.
-- https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-SECURITY-SCRIPTS
SET LOCAL search_path = pg_catalog, pg_temp;
