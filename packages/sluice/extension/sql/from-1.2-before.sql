-- In 1.2 the caller gave the name of the role, and could give any. The new function takes it from PostgreSQL.
DROP FUNCTION sluice.begin(text, text, text, text, text, text, text);
-- In 1.2 it returned void; the new one returns the connection's key.
DROP FUNCTION sluice.connect(text);
-- Not used any more: the name of dblink's schema can be changed between two calls.
DROP FUNCTION sluice.dblink_schema();
