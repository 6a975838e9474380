/**
 * Characters that a terminal or a reader of logs obeys instead of showing: controls (C0, DEL, C1), invisible ones that
 * change the direction of text, and line ends that only some programs take for such.
 */
const OBEYED = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text from elsewhere for people to read: what is not to be seen is written as JSON writes it; lines stay. A line of JSON stays the same JSON. */
export function printable(text: string): string {
  return text.replace(OBEYED, (character) => (character === '\n' ? character : escapeCharacter(character)));
}

/** The same for text that should be one line, and not a book. */
export function printableLine(text: string, maxLength: number): string {
  const line = printable(text.slice(0, maxLength).replaceAll('\n', ' '));
  return text.length > maxLength ? `${line}...` : line;
}

function escapeCharacter(character: string): string {
  return Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
    .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
    .join('');
}
