import { optionsSyntaxError } from './options-syntax.ts';
import { isComment, scan, type Word } from './scan.ts';

/** COPY has fifteen options, each of which may be given once. */
const MAX_OPTIONS = 100;
/** A query has no more columns (MaxTupleAttributeNumber in src/include/access/htup_details.h). */
const MAX_COLUMNS = 1_664;
/** The list itself, and a list of columns in it. */
const MAX_DEPTH = 2;

const OUTSIDE_WORDS = /[^ \t\n\r\f\v]/g;

/**
 * Refuses what can be no list of COPY options before it reaches PostgreSQL's grammar. That one calls itself for each
 * level of a text, and its memory is broken for everybody once a text had more levels than its stack. What passes here
 * is one list in parentheses, of names, strings and numbers, with lists of columns in it, and nothing behind it. A list
 * that does not end may pass: the grammar refuses it at its end.
 *
 * @param list begins with a parenthesis, and ends with a line; its strings are the standard's
 * @returns the list without what stands in comments, as PostgreSQL's scanner takes seconds for those in many levels.
 *   An empty comment stays of one in slashes: PostgreSQL joins strings across a line's comment, but not across that.
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

  /** What stands between two words. */
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
        // Of a string or name with Unicode escapes, such as U&'\0441'.
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

/** As PostgreSQL says it, with as much of the text as a reader needs to find the place. */
function near(text: string): Error {
  return optionsSyntaxError(`syntax error at or near "${text.slice(0, 100)}"`);
}
