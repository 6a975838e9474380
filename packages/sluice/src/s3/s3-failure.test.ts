import { describe, expect, it } from 'vitest';
import { describeFailure, NetworkTimeoutError, S3ResponseError } from './s3-failure.ts';

const answer = (status: number, body: string, headers = {}): S3ResponseError =>
  new S3ResponseError(status, headers, body);

describe('describeFailure', () => {
  it('reads the error document of S3, with its entities', () => {
    const body =
      '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>&lt;a&gt; &amp; &#39;b&#x27; &unknown;</Message><RequestId>R1</RequestId></Error>';
    expect(describeFailure(answer(403, body))).toMatchObject({
      s3Code: 'AccessDenied',
      message: "<a> & 'b' &unknown;",
      httpStatus: 403,
      requestId: 'R1',
      network: undefined,
    });
  });

  it.each(['', 'Bad Gateway', '<html><body>oops</body></html>', '<Error><Code></Code></Error>'])(
    'says the status where there is no error document: %j',
    (body) => {
      expect(describeFailure(answer(502, body))).toMatchObject({
        s3Code: undefined,
        message: 'HTTP status 502',
      });
    },
  );

  it('takes the region of the bucket from where S3 tells it', () => {
    const header = answer(301, '', { 'x-amz-bucket-region': 'eu-west-3' });
    expect(describeFailure(header)?.bucketRegion).toBe('eu-west-3');
    const malformed = answer(
      400,
      '<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-east-2</Region></Error>',
    );
    expect(describeFailure(malformed)?.bucketRegion).toBe('us-east-2');
  });

  it.each([
    [{ code: 'ECONNREFUSED' }, 'refused'],
    [{ code: 'EHOSTUNREACH' }, 'refused'],
    [{ code: 'ENOTFOUND' }, 'name-not-found'],
    [{ code: 'EAI_AGAIN' }, 'name-not-found'],
    [{ code: 'ECONNRESET' }, 'reset'],
    [{ code: 'EPIPE' }, 'reset'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'tls'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'tls'],
    [{ code: 'EPROTO' }, 'tls'],
    [{ code: 'HPE_INVALID_CONSTANT' }, 'other'],
    [
      { name: 'TimeoutError', message: 'Socket timed out without establishing a connection' },
      'connect-timeout',
    ],
    [{ name: 'TimeoutError', message: 'the request socket timed out after 5 ms of inactivity' }, 'stalled'],
  ])('knows why no answer came: %j', (fields, network) => {
    const failure = describeFailure(Object.assign(new Error('x'), fields));
    expect(failure).toMatchObject({
      network,
      message: 'Unable to connect to endpoint',
      httpStatus: undefined,
    });
  });

  it('knows the timeouts of our own requests', () => {
    expect(describeFailure(new NetworkTimeoutError('stalled', 10))?.network).toBe('stalled');
    expect(describeFailure(new NetworkTimeoutError('connect-timeout', 10))?.network).toBe('connect-timeout');
  });

  it('does not take a bug for a network failure', () => {
    expect(describeFailure(new TypeError('x is not a function'))).toBeUndefined();
    expect(describeFailure('text')).toBeUndefined();
  });
});
