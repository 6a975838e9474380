/**
 * How to step over a character whose trailing bytes may look like ASCII, by its first byte: pg_encoding_mblen in
 * PostgreSQL's src/common/wchar.c.
 */
export interface CharacterSteps {
  /** By the first byte: how many bytes follow it. */
  trailingBytes: Uint8Array;
  /** Two bytes more follow when the second is a digit. */
  digitMakesFour: boolean;
}

/** Half-width katakana have one byte. */
const SHIFT_JIS = steps((first) => (first >= 0xa1 && first <= 0xdf ? 0 : 1));
const TWO_BYTES = steps(() => 1);
/** PostgreSQL steps JOHAB as it steps EUC, with three bytes behind SS3. */
const JOHAB = steps((first) => (first === 0x8f ? 2 : 1));
const GB18030: CharacterSteps = { ...TWO_BYTES, digitMakesFour: true };

/** PostgreSQL's client-only encodings and their other names (src/common/encnames.c). In all others no step is needed. */
const STEPS: ReadonlyMap<string, CharacterSteps> = new Map([
  ...names(SHIFT_JIS, 'sjis', 'shiftjis', 'mskanji', 'win932', 'windows932', 'shiftjis2004'),
  ...names(TWO_BYTES, 'big5', 'win950', 'windows950'),
  ...names(TWO_BYTES, 'gbk', 'win936', 'windows936'),
  ...names(TWO_BYTES, 'uhc', 'win949', 'windows949'),
  ...names(JOHAB, 'johab'),
  ...names(GB18030, 'gb18030'),
]);

/** The steps of an encoding, or undefined where no byte of a longer character looks like ASCII. */
export function characterStepsOf(encoding: string): CharacterSteps | undefined {
  // As clean_encoding_name in encnames.c: only letters and digits count.
  return STEPS.get(encoding.toLowerCase().replace(/[^a-z0-9]/g, ''));
}

function names(theirSteps: CharacterSteps, ...encodings: string[]): [string, CharacterSteps][] {
  return encodings.map((encoding) => [encoding, theirSteps]);
}

function steps(trailingBytesOf: (first: number) => number): CharacterSteps {
  return {
    trailingBytes: Uint8Array.from({ length: 256 }, (_, first) =>
      first < 0x80 ? 0 : trailingBytesOf(first),
    ),
    digitMakesFour: false,
  };
}
