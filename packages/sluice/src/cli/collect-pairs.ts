import { InvalidArgumentError } from 'commander';
import { refuseInvalid } from './parse-s3-uri.ts';

export type Pairs = Readonly<Record<string, string>>;

/**
 * The parser of an option `key=value` that may be repeated. The key ends at the first equals sign.
 *
 * @param validate throws a SluiceError for pairs that cannot be used
 */
export function collectPairs(validate: (pairs: Pairs) => void) {
  return (text: string, previous: Pairs = {}): Pairs => {
    const [, key, value] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) throw new InvalidArgumentError('Expected key=value.');
    if (Object.hasOwn(previous, key))
      throw new InvalidArgumentError(`${JSON.stringify(key)} is given twice.`);
    const pairs = Object.fromEntries([...Object.entries(previous), [key, value]]);
    refuseInvalid(() => validate(pairs));
    return pairs;
  };
}
