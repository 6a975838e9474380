/** What a faulty AWS, or the network to it, does with a request. */
export type AwsFault =
  /** Reads the request, and answers with an error without doing it. */
  | { do: 'answer'; status: number; code: string }
  /** Answers with an error while the body is still sent, and closes the connection. */
  | { do: 'answer-early'; status: number; code: string }
  | { do: 'reset'; when: 'before the body' | 'in the body' | 'after the body' | 'after the effect' }
  | { do: 'no-answer'; effect: boolean }
  /** Takes the request as it is, and gives the answer a byte at a time. */
  | { do: 'dribble' }
  /** Takes the body in small pieces with pauses. */
  | { do: 'slow-body' }
  /** Does it; the connection breaks in the middle of the answer. */
  | { do: 'cut-answer' }
  /** Does it; the answer is 200 and has no body. */
  | { do: 'empty-answer' }
  /** Does it; the answer is 200 and half of its body, as if that were all. */
  | { do: 'truncated-answer' }
  /** 200 with an error document, as CompleteMultipartUpload is documented to fail. */
  | { do: 'error-body'; effect: boolean }
  /** Does it; the answer has another ETag and another checksum. */
  | { do: 'wrong-etag' }
  | { do: 'no-etag' }
  /** A bit of the body is not what was sent. */
  | { do: 'damage-body' }
  /** 200 with what is no answer of AWS. */
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

/** How a summary names it. */
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
