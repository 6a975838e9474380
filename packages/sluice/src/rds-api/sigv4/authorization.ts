import { RdsError } from '../rds-error.ts';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const FIELDS: ReadonlySet<string> = new Set(['Credential', 'SignedHeaders', 'Signature']);

/** What an Authorization header says, before anything of it is believed. */
export interface Authorization {
  accessKeyId: string;
  /** `20130524` */
  date: string;
  region: string;
  service: string;
  /** In lower case. */
  signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  signature: string;
}

/**
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
 *
 * @throws RdsError `MissingAuthenticationToken`, `IncompleteSignature`
 */
export function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined)
    throw new RdsError('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const [algorithm, rest] = split(header.trim(), ' ');
  if (algorithm !== ALGORITHM) {
    throw incomplete(`Sign requests with ${ALGORITHM}, in the Authorization header.`);
  }
  const pairs = rest.split(',').map((field) => split(field.trim(), '='));
  const fields = new Map(pairs);
  // Two headers are joined by a comma, too. Which of two signatures counts must not be left to chance.
  if (pairs.length !== fields.size || [...fields.keys()].some((name) => !FIELDS.has(name) && name !== '')) {
    throw incomplete(
      `Authorization header requires ${[...FIELDS].join(', ')}, each of them once, and nothing else.`,
    );
  }
  const [accessKeyId, date, region, service, terminator, ...more] = (fields.get('Credential') ?? '').split(
    '/',
  );
  const signedHeaders = fields.get('SignedHeaders') ?? '';
  const signature = fields.get('Signature') ?? '';
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || more.length > 0) {
    throw incomplete(
      "Authorization header requires a 'Credential' of the form KEY/YYYYMMDD/REGION/SERVICE/aws4_request.",
    );
  }
  if (!/^[0-9a-f]{64}$/.test(signature))
    throw incomplete("Authorization header requires 'Signature' parameter.");
  if (signedHeaders === '') throw incomplete("Authorization header requires 'SignedHeaders' parameter.");
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders: signedHeaders.toLowerCase().split(';'),
    signature,
  };
}

function split(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function incomplete(message: string): RdsError {
  return new RdsError('IncompleteSignature', message);
}
