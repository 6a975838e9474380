// The statements of the Aurora user guide, "Exporting Data from an Aurora PostgreSQL DB Cluster to Amazon S3".

/** The tables of the guide. The guide does not define basic_test, so its rows are made up. */
export const TABLES = [
  'CREATE TABLE sample_table (bid bigint PRIMARY KEY, name varchar(80));',
  "INSERT INTO sample_table (bid,name) VALUES (1, 'Monday'), (2,'Tuesday'), (3, 'Wednesday');",
  'CREATE TABLE basic_test (id int PRIMARY KEY, greeting text, said_at time);',
  "INSERT INTO basic_test VALUES (1, 'good morning', '08:00'), (2, 'καλημέρα', '08:30'), (3, NULL, '09:15');",
];

export const MAKE_URI = `SELECT aws_commons.create_s3_uri(
   'sample-bucket',
   'sample-filepath',
   'us-west-2'
) AS s3_uri_1 \\gset`;

/** `:'s3_uri_1'` is the value that \gset stored, as in psql. */
export const EXPORTS = [
  {
    about: 'The basic call, with a structure that says where to:',
    sql: "SELECT * FROM aws_s3.query_export_to_s3('SELECT * FROM sample_table', :'s3_uri_1');",
  },
  {
    about: 'The same, with options of COPY:',
    sql: "SELECT * FROM aws_s3.query_export_to_s3('SELECT * FROM sample_table', :'s3_uri_1', options :='format text');",
  },
  {
    about: 'The structure made on the spot:',
    sql: `SELECT * from aws_s3.query_export_to_s3('select * from sample_table',
     aws_commons.create_s3_uri('sample-bucket', 'sample-filepath', 'us-west-2')
  );`,
  },
  {
    about: 'The other form: bucket, file path, region and options one by one:',
    sql: "SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath');",
  },
  {
    sql: "SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath','us-west-2');",
  },
  {
    sql: "SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath','us-west-2','format text');",
  },
  {
    about: 'CSV with a delimiter of its own (COPY quotes what holds one):',
    sql: "SELECT * from aws_s3.query_export_to_s3('select * from basic_test', :'s3_uri_1', options :='format csv, delimiter $$:$$');",
  },
  {
    about: 'A binary file with an encoding (COPY converts text and CSV only; so does this):',
    sql: "SELECT * from aws_s3.query_export_to_s3('select * from basic_test', :'s3_uri_1', options :='format binary, encoding WIN1253');",
  },
];

/** The first of the reference's examples. */
export const REFUSED = {
  sql: "SELECT * from aws_s3.query_export_to_s3('select * from sample_table', 'sample-bucket', 'sample-filepath');",
};

export const BUCKET = 'sample-bucket';
export const KEY = 'sample-filepath';
