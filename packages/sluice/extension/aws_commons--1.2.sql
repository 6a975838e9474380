-- The types and constructors that Amazon Aurora's aws_commons 1.2 has.
-- https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/postgresql-s3-export-functions.html
\echo Use "CREATE EXTENSION aws_commons" to load this file. \quit

CREATE SCHEMA aws_commons;
GRANT USAGE ON SCHEMA aws_commons TO PUBLIC;

-- Where an object of Amazon S3 is.
CREATE TYPE aws_commons._s3_uri_1 AS (bucket text, file_path text, region text);

-- An access key, as the import functions take it.
CREATE TYPE aws_commons._aws_credentials_1 AS (access_key text, secret_key text, session_token text);

CREATE FUNCTION aws_commons.create_s3_uri(bucket text, file_path text, region text)
RETURNS aws_commons._s3_uri_1
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(bucket, file_path, region)::aws_commons._s3_uri_1 $$;

COMMENT ON FUNCTION aws_commons.create_s3_uri(text, text, text)
IS 'Says where an object of Amazon S3 is: its bucket, its path in the bucket, and the AWS Region of the bucket';

CREATE FUNCTION aws_commons.create_aws_credentials(access_key text, secret_key text, session_token text)
RETURNS aws_commons._aws_credentials_1
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ROW(access_key, secret_key, session_token)::aws_commons._aws_credentials_1 $$;

COMMENT ON FUNCTION aws_commons.create_aws_credentials(text, text, text)
IS 'Holds an AWS access key for the functions that take one';
