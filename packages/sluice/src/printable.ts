/**
 * Characters that a terminal or a log reader interprets instead of showing: control characters (C0, DEL, C1), invisible
 * ones that change the direction of text, and line ends that only some programs recognise.
 */
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Makes text from outside safe to show: writes the characters above as JSON escapes, and keeps line feeds. JSON stays
 * the same JSON.
 */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => (character === '\n' ? character : escapeCharacter(character)));
}

/** The same for text that must be one line, cut at maxLength characters. */
export function printableLine(text: string, maxLength: number): string {
  const line = printable(text.slice(0, maxLength).replaceAll('\n', ' '));
  return text.length > maxLength ? `${line}...` : line;
}

function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
