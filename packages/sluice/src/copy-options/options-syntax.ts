import { SluiceError } from '../errors.ts';

/** The parser quotes the text from where it failed to its end. */
const MAX_REASON_LENGTH = 500;

/** The error for options that are no list of options, in the words of PostgreSQL's parser or of a check before it. */
export function optionsSyntaxError(reason: string, cause?: unknown): SluiceError {
  return new SluiceError('options_syntax', 'could not read the options of the export', {
    cause,
    detail: `PostgreSQL's parser says: ${reason.slice(0, MAX_REASON_LENGTH)}.`,
    hint: 'Write a list of COPY options, such as: format csv, delimiter $$:$$, header true.',
  });
}
