-- It took the caller's word for the name of the role.
DROP FUNCTION sluice.begin(text, text, text, text, text, text, text);
-- It returned nothing.
DROP FUNCTION sluice.connect(text);
-- A name of dblink's schema is safe at no time.
DROP FUNCTION sluice.dblink_schema();
