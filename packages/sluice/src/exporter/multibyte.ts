/**
 * How long a character is, by its first byte, in the encodings whose trailing bytes may look like ASCII. Follows
 * pg_encoding_mblen in PostgreSQL's src/common/wchar.c.
 */
export interface CharacterSteps {
  /** Indexed by the first byte: how many bytes follow it. */
  trailingBytes: Uint8Array;
  /** True when two more bytes follow if the second byte is a digit (GB18030). */
  digitMakesFour: boolean;
}

/** Half-width katakana are one byte long. */
const SHIFT_JIS = steps((first) => (first >= 0xa1 && first <= 0xdf ? 0 : 1));
const TWO_BYTES = steps(() => 1);
/** PostgreSQL measures JOHAB like EUC: after SS3 (0x8F) a character has three bytes. */
const JOHAB = steps((first) => (first === 0x8f ? 2 : 1));
const GB18030: CharacterSteps = { ...TWO_BYTES, digitMakesFour: true };

/**
 * PostgreSQL's client-only encodings and their aliases (src/common/encnames.c). Characters of all other encodings need
 * not be measured.
 */
const STEPS: ReadonlyMap<string, CharacterSteps> = new Map([
  ...names(SHIFT_JIS, 'sjis', 'shiftjis', 'mskanji', 'win932', 'windows932', 'shiftjis2004'),
  ...names(TWO_BYTES, 'big5', 'win950', 'windows950'),
  ...names(TWO_BYTES, 'gbk', 'win936', 'windows936'),
  ...names(TWO_BYTES, 'uhc', 'win949', 'windows949'),
  ...names(JOHAB, 'johab'),
  ...names(GB18030, 'gb18030'),
]);

/** The lengths for an encoding; undefined if no trailing byte of a character can look like ASCII. */
export function characterStepsOf(encoding: string): CharacterSteps | undefined {
  // Like clean_encoding_name in encnames.c: only letters and digits count.
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
