import { SluiceError } from '../errors.ts';

/** What an object is stored with. */
export interface ObjectSettings {
  contentType?: string | undefined;
  /** How the object's bytes are encoded: `gzip`, `zstd`. */
  contentEncoding?: string | undefined;
  /** A KMS key (id, ARN or alias) to encrypt with. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
}

/** @throws {SluiceError} `invalid_argument` for a value that a header cannot have */
export function validateObjectSettings({ contentType, contentEncoding, kmsKeyId }: ObjectSettings): void {
  checkHeaderValue('content type', contentType);
  checkHeaderValue('content encoding', contentEncoding);
  checkHeaderValue('KMS key', kmsKeyId);
}

export function settingsHeaders({
  contentType,
  contentEncoding,
  kmsKeyId,
}: ObjectSettings): Record<string, string> {
  return {
    ...(contentType === undefined ? {} : { 'content-type': contentType }),
    ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
    ...(kmsKeyId === undefined
      ? {}
      : {
          'x-amz-server-side-encryption': 'aws:kms',
          'x-amz-server-side-encryption-aws-kms-key-id': kmsKeyId,
        }),
  };
}

function checkHeaderValue(name: string, value: string | undefined): void {
  if (value === undefined) return;
  if (!/^[!-~](?:[ -~]{0,2046}[!-~])?$/.test(value)) {
    throw new SluiceError('invalid_argument', `invalid ${name}: ${JSON.stringify(value.slice(0, 80))}`, {
      detail: 'It is empty, too long, or has characters other than printable ASCII.',
    });
  }
}
