import { optionsSyntaxError } from './options-syntax.ts';
import { isComment, scan, type Word } from './scan.ts';

/** COPY has fifteen options, each of which may be given once. */
const MAX_OPTIONS = 100;
/** The most columns that a query can have (MaxTupleAttributeNumber in src/include/access/htup_details.h). */
const MAX_COLUMNS = 1_664;
/** The list itself, and a list of columns inside it. */
const MAX_DEPTH = 2;

const OUTSIDE_WORDS = /[^ \t\n\r\f\v]/g;

/**
 * Refuses a text that can't be a list of COPY options, before PostgreSQL's grammar reads it. The grammar is recursive,
 * and once a text has overflowed its stack, the parser's memory is corrupt for all later texts. A text that passes is
 * one list in parentheses with nothing after it; it consists of names, strings, numbers and lists of columns. A list
 * without its closing parenthesis may pass, too: the grammar refuses it at its end.
 *
 * @param list begins with a parenthesis and ends with a line end; its strings follow standard_conforming_strings = on
 * @returns the list without the contents of comments: PostgreSQL's scanner takes seconds for deeply nested ones. A
 *   block comment becomes an empty one, since PostgreSQL joins two strings with a line comment between them, but not
 *   with a block comment.
 * @throws SluiceError `options_syntax`
 */
export function checkOptionList(list: string): string {
  const shape = new ListShape(list);
  const pieces: string[] = [];
  let checked = 0;
  let copied = 0;
  for (const word of scan(list, {})) {
    const { opening, from, to } = word;
    shape.characters(checked, from);
    shape.word(word);
    checked = to;
    if (!isComment(opening)) continue;
    if (opening === '/*' && to === list.length) throw optionsSyntaxError('unterminated /* comment');
    pieces.push(list.slice(copied, from), opening === '/*' ? '/**/' : ' ');
    copied = to;
  }
  shape.characters(checked, list.length);
  pieces.push(list.slice(copied));
  return pieces.join('');
}

class ListShape {
  readonly #list: string;
  #depth = 0;
  #hasEnded = false;
  #options = 1;
  #columns = 0;

  constructor(list: string) {
    this.#list = list;
  }

  word({ opening, from, to }: Word): void {
    if (isComment(opening)) return;
    if (opening === ';' || this.#hasEnded) throw near(this.#list.slice(from, to));
  }

  /** Checks the characters between two words. */
  characters(from: number, to: number): void {
    OUTSIDE_WORDS.lastIndex = from;
    for (;;) {
      const match = OUTSIDE_WORDS.exec(this.#list);
      if (match === null || match.index >= to) return;
      this.#character(match[0], match.index);
    }
  }

  #character(character: string, at: number): void {
    if (this.#hasEnded) throw near(character);
    switch (character) {
      case '(':
        this.#depth += 1;
        this.#columns = 1;
        if (this.#depth > MAX_DEPTH) throw near(character);
        return;
      case ')':
        this.#depth -= 1;
        this.#hasEnded = this.#depth === 0;
        return;
      case ',':
        this.#comma();
        return;
      case '&':
        // The ampersand of a string or name with Unicode escapes, such as U&'\0441'.
        if (/^[uU]&['"]$/.test(this.#list.slice(at - 1, at + 2))) return;
        throw near(character);
      default:
        if (!/[0-9.*+-]/.test(character)) throw near(character);
    }
  }

  #comma(): void {
    if (this.#depth === 1) this.#options += 1;
    else this.#columns += 1;
    if (this.#options > MAX_OPTIONS) throw optionsSyntaxError(`they are more than ${MAX_OPTIONS}`);
    if (this.#columns > MAX_COLUMNS)
      throw optionsSyntaxError(`a list of columns has more than ${MAX_COLUMNS} of them`);
  }
}

/** PostgreSQL's own error message, with at most 100 characters of the text. */
function near(text: string): Error {
  return optionsSyntaxError(`syntax error at or near "${text.slice(0, 100)}"`);
}
