-- It took the caller's word for the name of the role.
DROP FUNCTION sluice.begin(text, text, text, text, text, text, text);
