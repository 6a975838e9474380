import { SluiceError } from '../errors.ts';

/** Settings of a connection by libpq's names: host, port, dbname, user, ... */
export type ConnectionSettings = Map<string, string>;

/**
 * libpq's parameters that have a meaning here.
 * Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
 */
const USED = new Set(
  `application_name channel_binding client_encoding connect_timeout dbname fallback_application_name host keepalives
  keepalives_idle options passfile password port service servicefile sslcert sslkey sslmode sslnegotiation sslpassword
  sslrootcert user`.split(/\s+/),
);

/** Those that can be left out of account: they choose among ways that all lead there. `uselibpqcompat` is pg's. */
const WITHOUT_EFFECT = new Set(
  `gssdelegation gssencmode gsslib keepalives_count keepalives_interval krbsrvname load_balance_hosts
  max_protocol_version min_protocol_version sslcompression sslsni tcp_user_timeout uselibpqcompat`.split(
    /\s+/,
  ),
);

const URI =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?]*)(?::(?<password>[^@/?]*))?@)?(?<host>\[[^\]]*\]|[^:/?]*)(?::(?<port>\d*))?(?:\/(?<dbname>[^?]*))?(?:\?(?<query>.*))?$/s;

/**
 * Reads a connection string as libpq does: a URI, a list of `key = value`, or the name of a database alone.
 * What it says is never repeated in an error, as a password may be a part of it.
 *
 * @throws SluiceError `invalid_argument`
 */
export function parseConninfo(text: string): ConnectionSettings {
  if (/^postgres(?:ql)?:\/\//.test(text)) return parseUri(text);
  if (text.includes('=')) return parseList(text);
  return new Map(text === '' ? [] : [['dbname', text]]);
}

/** @throws SluiceError `invalid_argument`: a setting that there is not, or that asks for what is not done here */
export function checkSettings(settings: ConnectionSettings, where: string): ConnectionSettings {
  for (const [name, value] of settings) {
    if (WITHOUT_EFFECT.has(name)) settings.delete(name);
    // Any server will do, which is what happens without it.
    else if (name === 'target_session_attrs' && value === 'any') settings.delete(name);
    else if (!USED.has(name)) {
      throw new SluiceError('invalid_argument', `cannot connect with the setting "${name}"`, {
        detail: `It stands in ${where}, and is none of libpq's, or one that Sluice does not take.`,
        hint: 'Leave it out.',
      });
    }
  }
  if (settings.get('host')?.includes(',') === true) {
    throw new SluiceError('invalid_argument', 'cannot connect to one of several hosts', {
      hint: `Name one host in ${where}.`,
    });
  }
  return settings;
}

function parseUri(uri: string): ConnectionSettings {
  const parts = URI.exec(uri)?.groups;
  if (parts === undefined) {
    throw invalid('It is no URI such as postgresql://user@host:5432/database?sslmode=require.');
  }
  const { query = '', host = '', ...others } = parts;
  const settings: ConnectionSettings = new Map();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') settings.set(name, decode(value));
  };
  set('host', host.replace(/^\[(.*)\]$/, '$1'));
  for (const [name, value] of Object.entries(others)) set(name, value);
  for (const parameter of query === '' ? [] : query.split('&')) {
    const equals = parameter.indexOf('=');
    if (equals === -1) throw invalid('A parameter behind the question mark has no value.');
    const name = decode(parameter.slice(0, equals));
    const value = parameter.slice(equals + 1);
    // What JDBC's URIs have.
    if (name === 'ssl') set('sslmode', value === 'true' ? 'require' : value);
    else set(name, value);
  }
  return settings;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('A percent sign is no encoded character; one of a password is written %25.');
  }
}

function parseList(text: string): ConnectionSettings {
  const entry = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)/sy;
  const settings: ConnectionSettings = new Map();
  const end = text.trimEnd().length;
  while (entry.lastIndex < end) {
    const [, name, quoted, plain = ''] = entry.exec(text) ?? [];
    if (name === undefined) throw invalid('It is no list such as host=localhost dbname=sales user=app.');
    settings.set(name, (quoted ?? plain).replaceAll(/\\(.)/gs, '$1'));
  }
  return settings;
}

function invalid(detail: string): SluiceError {
  return new SluiceError('invalid_argument', 'could not read the connection string of the database', {
    detail,
    hint: 'Write it as for psql: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING',
  });
}
