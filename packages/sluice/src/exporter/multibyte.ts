/**
 * How to step over a character whose trailing bytes may look like ASCII, by its first byte: pg_encoding_mblen in
 * PostgreSQL's src/common/wchar.c.
 */
export interface CharacterSteps {
  /** How many bytes follow a first byte of 0x80 or above. */
  trailingBytes(first: number): number;
  /** Two bytes more follow when the second is a digit. */
  digitMakesFour: boolean;
}

const TWO_BYTES: CharacterSteps = { trailingBytes: () => 1, digitMakesFour: false };

const SHIFT_JIS: CharacterSteps = {
  // Half-width katakana have one byte.
  trailingBytes: (first) => (first >= 0xa1 && first <= 0xdf ? 0 : 1),
  digitMakesFour: false,
};

const JOHAB: CharacterSteps = {
  // PostgreSQL steps JOHAB as it steps EUC, with its three-byte characters behind SS3.
  trailingBytes: (first) => (first === 0x8f ? 2 : 1),
  digitMakesFour: false,
};

const GB18030: CharacterSteps = { trailingBytes: () => 1, digitMakesFour: true };

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

function names(steps: CharacterSteps, ...encodings: string[]): [string, CharacterSteps][] {
  return encodings.map((encoding) => [encoding, steps]);
}
