// Joins the files of extension/sql, one for each concern, into the scripts of CREATE EXTENSION and ALTER EXTENSION.
// https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-UPDATES
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('../extension/', import.meta.url));

const FUNCTIONS = [
  'copier-role',
  'agent-requests',
  'export-life',
  'statements',
  'staging',
  'staged-export',
  'public-functions',
  'privileges',
];

/** The files of each script, in the order of use. The first script creates the objects, the others replace them. */
const SCRIPTS = {
  'aws_s3--1.2.1.sql': {
    command: 'CREATE EXTENSION aws_s3 CASCADE',
    parts: ['introduction', 'safe-names', 'schemas', ...FUNCTIONS, 'first-privileges'],
  },
  'aws_s3--1.2--1.2.1.sql': {
    command: "ALTER EXTENSION aws_s3 UPDATE TO '1.2.1'",
    parts: ['safe-names', 'from-1.2-before', ...FUNCTIONS, 'from-1.2-after'],
  },
};

for (const [name, { command, parts }] of Object.entries(SCRIPTS)) {
  const header = `-- Joined from extension/sql by scripts/join-extension.mjs: change it there.\n\\echo Use "${command}" to load this file. \\quit\n`;
  const script = [
    header,
    ...parts.map((part) => readFileSync(join(DIRECTORY, 'sql', `${part}.sql`), 'utf8')),
  ].join('\n');
  const path = join(DIRECTORY, name);
  // A script that has not changed is not written, so that nothing derived from it is built again.
  if (!existsSync(path) || readFileSync(path, 'utf8') !== script) writeFileSync(path, script);
}
