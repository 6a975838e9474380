import { SluiceError } from '../errors.ts';

/** A syntax error of the parser quotes the text from the place of the error to its end, so it is cut. */
const MAX_REASON_LENGTH = 500;

/**
 * The error for options that are no list of options, with the message of PostgreSQL's parser or of a check before it.
 */
export function optionsSyntaxError(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('options_syntax', 'could not read the options of the export', {
    cause,
    detail: `PostgreSQL's parser says: ${reason.slice(0, MAX_REASON_LENGTH)}.`,
    hint: 'Write a list of COPY options, such as: format csv, delimiter $$:$$, header true.',
  });
}
