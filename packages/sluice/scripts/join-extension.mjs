// Joins the files of extension/sql, one for each concern, to the scripts that CREATE EXTENSION and ALTER EXTENSION read.
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

/** In the order of use. An object is made by the first script, and replaced by the others. */
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
  // A file that is as it should be is left alone: nothing that is made of it need be made again.
  if (!existsSync(path) || readFileSync(path, 'utf8') !== script) writeFileSync(path, script);
}
