import type { Context, Expected } from './contexts.ts';

/** The text of docs/contexts.md, with the table that test/oracle/contexts.test.ts tests cell by cell. */
export function contextsPage(contexts: readonly Context[]): string {
  const rows = contexts.map(({ name, direct, staged }) => `| ${name} | ${cell(direct)} | ${cell(staged)} |`);
  return `${TEXT}
| Context | direct | staged |
| --- | --- | --- |
${rows.join('\n')}

${LIMITS}`;
}

function cell(expected: Expected): string {
  return expected === 'works' ? 'works' : `error ${expected.code}: ${expected.message}`;
}

const TEXT = `# Where an export may be called

An export takes one of two ways. Superusers and members of \`pg_write_server_files\` stream from the query to S3: the
_direct_ way. For everybody else the rows are first kept in a temporary table: the _staged_ way. Both give, byte for
byte, what \`COPY (query) TO '/path' WITH (options)\` writes in the same session.

Every cell of this table is tested (\`test/oracle/contexts.test.ts\`, which also writes this page:
\`npm test -- contexts -u\`).
`;

const LIMITS = `## What the staged way costs

The rows are written once more, to a temporary table, and read again; and none is sent to S3 before the last was
computed. Measured by \`bench/staged-export.mjs\` (one row: \`bench/small-export.mjs\`) on two cores, local S3 and all
(medians; PostgreSQL 18):

| | COPY to /dev/null | direct | staged |
| --- | --- | --- | --- |
| a million rows, 97 MB | 0.37 s | 0.91 s | 1.49 s |
| one row | | 11 ms | 12 ms |
| one row with a \`record\` | | | 25 ms |

- Either way PostgreSQL plans the query once before it runs it, to see that it is one query. One with two columns of one
  name, with a pseudo-type, or that changes data is planned twice more for the table. Each runs once.
- The table takes disk space where PostgreSQL keeps temporary tables (\`temp_tablespaces\`) until the export has ended.
- Each export makes and drops a table: three locks until the end of the transaction. Thousands of exports in one
  transaction may need a higher \`max_locks_per_transaction\`.
- Event triggers for \`CREATE TABLE AS\` and \`DROP TABLE\` run, as they do for any temporary table of the role.

## What only the direct way can

Each is a clear error with a hint for an ordinary role:

- columns of a pseudo-type (\`record\`, as of \`SELECT ROW(1, 2)\`; \`anyarray\`, as in \`pg_stats\`) in binary format; as text
  and CSV they work;
- more than 1600 columns, and rows whose columns together do not fit a page of a table (8 kB, where a long text counts
  18 bytes);
- \`INSERT\`, \`UPDATE\`, \`DELETE\` or \`MERGE\` with \`RETURNING\` behind a \`WITH\` that changes data, too; and a \`SELECT\` behind
  such a \`WITH\` that has columns of a pseudo-type;
- columns of one name, where the name is not ASCII, in a database whose encoding is \`SQL_ASCII\`.
`;
