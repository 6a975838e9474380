// Inputs for the sockets of an agent: valid ones, changed by a seeded generator. The same seed gives the same inputs.

/** Numbers from 0 to 1: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const below = (random, limit) => Math.floor(random() * limit);
const oneOf = (random, values) => values[below(random, values.length)];

const OPTIONS = [
  'format csv',
  "delimiter ':'",
  'header',
  "null ''",
  'force_quote (a, b)',
  "encoding 'UTF8'",
  'compression gzip',
  'compression_level 9',
];
const STATEMENTS = [
  'SELECT 1',
  "SELECT 'a;b'; SELECT 2",
  'SELECT $$x$$ -- c',
  '/* a /* b */ */ TABLE t;',
  "E'\\'';",
];
const PIECES = [
  "'",
  '"',
  '$$',
  '$a$',
  '/*',
  '*/',
  '--',
  ';',
  '(',
  ')',
  ',',
  '\\',
  '\0',
  '\u2028',
  '🦔',
  '__proto__',
  '1+',
];
/** Texts that make a grammar recurse, or its scanner count. */
const LEVELS = ['(', '1+', '((', 'NOT ', '[', '- ', 'CASE WHEN ', '/*', "''\n", 'a,', '(a '];
/** So many levels break a parser that does not limit them. */
const DEEPEST = 60_000;
const DEEP = 0.03;
/** A number of levels that a person may write. */
const SHALLOW = 20;

function changedText(random, valid) {
  let text = valid;
  for (let changes = below(random, 6); changes > 0; changes -= 1) {
    const at = below(random, text.length + 1);
    const kind = below(random, 5);
    if (kind === 0) text = text.slice(0, at);
    else if (kind === 1) text = text.slice(0, at) + oneOf(random, PIECES) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + text.slice(at + 1 + below(random, 8));
    else if (kind === 3) text += text.slice(at);
    else text = text.slice(0, at) + oneOf(random, LEVELS).repeat(below(random, SHALLOW)) + text.slice(at);
  }
  if (random() >= DEEP) return text;
  const at = oneOf(random, [below(random, text.length + 1), text.length]);
  const into = oneOf(random, ['', '; SELECT ', ', ']);
  return text.slice(0, at) + into + oneOf(random, LEVELS).repeat(below(random, DEEPEST)) + text.slice(at);
}

function changedBytes(random, valid) {
  const bytes = Buffer.from(valid);
  for (let changes = below(random, 5); changes > 0 && bytes.length > 0; changes -= 1) {
    bytes[below(random, bytes.length)] = oneOf(random, [0, 0x7f, 0x80, 0xff, below(random, 256)]);
  }
  return random() < 0.3 ? bytes.subarray(0, below(random, bytes.length + 1)) : bytes;
}

const STARTUP = Buffer.from('\0\0\0\x15\0\x03\0\0user\0sluice\0\0', 'latin1');

function query(random, request) {
  const body = Buffer.from(
    `sluice ${oneOf(random, [1, 2, 2, 3])} ${Buffer.from(JSON.stringify(request)).toString('hex')}\0`,
  );
  const head = Buffer.alloc(5);
  head.write('Q');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([STARTUP, head, body]);
}

function begin(options) {
  const whose = {
    role: 'fuzz',
    database: 'd',
    pid: 1,
    clientEncoding: 'UTF8',
    bucket: 'exports',
    filePath: 'f',
  };
  return { op: 'begin', ...whose, region: null, options, backslashEscapes: false, kmsKey: null };
}

const HTTP = Buffer.from(
  'POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Date: 20260101T000000Z\r\n' +
    'Authorization: AWS4-HMAC-SHA256 Credential=AKIDFUZZ/20260101/us-east-1/rds/aws4_request, SignedHeaders=host;x-amz-date, ' +
    `Signature=${'0'.repeat(64)}\r\nContent-Length: 25\r\n\r\nAction=DescribeDBClusters`,
);
const ADMIN = [
  '{"op":"role-list"}\n',
  '{"op":"role-add","roleArn":"arn:aws:iam::1:role/x","featureName":"s3Export"}\n',
];

/** For each target, its socket and a generator of inputs. */
export const TARGETS = {
  options: {
    socket: 'rpc',
    make: (random) =>
      query(random, begin(changedText(random, OPTIONS.filter(() => random() < 0.5).join(', ')))),
  },
  statement: {
    socket: 'rpc',
    make: (random) =>
      query(random, {
        op: 'statement',
        query: changedText(random, oneOf(random, STATEMENTS)),
        backslashEscapes: random() < 0.5,
      }),
  },
  rpc: { socket: 'rpc', make: (random) => changedBytes(random, query(random, begin(null))) },
  admin: { socket: 'admin', make: (random) => changedBytes(random, Buffer.from(oneOf(random, ADMIN))) },
  'rds-api': { socket: 'rds', make: (random) => changedBytes(random, HTTP) },
};
