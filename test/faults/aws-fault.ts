/** A fault of AWS or of the network, in a request. */
export type AwsFault =
  /** Reads the request, does not execute it, and answers with an error. */
  | { do: 'answer'; status: number; code: string }
  /** Answers with an error while the body is still sent, and closes the connection. */
  | { do: 'answer-early'; status: number; code: string }
  | { do: 'reset'; when: 'before the body' | 'in the body' | 'after the body' | 'after the effect' }
  | { do: 'no-answer'; effect: boolean }
  /** Executes the request, and sends the answer one byte at a time. */
  | { do: 'dribble' }
  /** Reads the body in small pieces with pauses. */
  | { do: 'slow-body' }
  /** Executes the request; the connection breaks in the middle of the answer. */
  | { do: 'cut-answer' }
  /** Executes the request; the answer is 200 without a body. */
  | { do: 'empty-answer' }
  /** Executes the request; the answer has only half of its body, with a matching length. */
  | { do: 'truncated-answer' }
  /** 200 with an error document, which is how CompleteMultipartUpload can fail. */
  | { do: 'error-body'; effect: boolean }
  /** Executes the request; the answer has a wrong ETag and a wrong checksum. */
  | { do: 'wrong-etag' }
  | { do: 'no-etag' }
  /** One bit of the body is changed on the way to AWS. */
  | { do: 'damage-body' }
  /** 200 with a body that is not from AWS. */
  | { do: 'garbage' };

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
export const S3_ANSWERS: readonly (readonly [status: number, code: string])[] = [
  [301, 'PermanentRedirect'],
  [400, 'InvalidRequest'],
  [400, 'RequestTimeout'],
  [400, 'ExpiredToken'],
  [403, 'AccessDenied'],
  [403, 'RequestTimeTooSkewed'],
  [404, 'NoSuchBucket'],
  [409, 'OperationAborted'],
  [412, 'PreconditionFailed'],
  [429, 'TooManyRequests'],
  [500, 'InternalError'],
  [503, 'SlowDown'],
  [507, 'InsufficientStorage'],
];

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html#API_AssumeRole_Errors */
export const STS_ANSWERS: readonly (readonly [status: number, code: string])[] = [
  [403, 'AccessDenied'],
  [403, 'ExpiredToken'],
  [503, 'ServiceUnavailable'],
];

/** The fault's name in summaries. */
export function describeFault(fault: AwsFault): string {
  switch (fault.do) {
    case 'answer':
    case 'answer-early':
      return `${fault.do} ${fault.status} ${fault.code}`;
    case 'reset':
      return `reset ${fault.when}`;
    case 'no-answer':
    case 'error-body':
      return `${fault.do} ${fault.effect ? 'after' : 'before'} the effect`;
    default:
      return fault.do;
  }
}
