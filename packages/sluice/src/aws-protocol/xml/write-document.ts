/** The content of an element: text, or child elements in order. An undefined child is left out. */
export type XmlContent = string | number | boolean | readonly XmlElement[] | undefined;

export type XmlElement = readonly [
  name: string,
  content: XmlContent,
  attributes?: Readonly<Record<string, string>>,
];

export interface WriteDocumentOptions {
  /**
   * How characters are written that XML 1.0 can't contain (https://www.w3.org/TR/xml/#charsets): `replace` writes
   * U+FFFD, `reference` writes `&#x1;`, which some parsers refuse.
   * @default 'replace'
   */
  readonly forbidden?: 'replace' | 'reference';
}

/** A whole document with this root. Element names are not escaped: they must come from the code, not from a request. */
export function writeDocument(
  root: XmlElement,
  { forbidden = 'replace' }: WriteDocumentOptions = {},
): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeElement(root, forbidden === 'reference')}`;
}

function writeElement([name, content, attributes = {}]: XmlElement, refersToForbidden: boolean): string {
  if (content === undefined) return '';
  const start = Object.entries(attributes)
    .map(([attribute, value]) => ` ${attribute}="${escapeXml(value, refersToForbidden)}"`)
    .join('');
  const inner =
    typeof content === 'object'
      ? content.map((child) => writeElement(child, refersToForbidden)).join('')
      : escapeXml(String(content), refersToForbidden);
  return inner === '' ? `<${name}${start}/>` : `<${name}${start}>${inner}</${name}>`;
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
]);

// oxlint-disable-next-line no-control-regex
const SPECIAL = /[&<>"\u0000-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

function escapeXml(text: string, refersToForbidden: boolean): string {
  return text.replace(SPECIAL, (character) => {
    const named = NAMED.get(character);
    if (named !== undefined) return named;
    // White space is written as a reference: parsers turn a carriage return into a line feed, and in attributes both
    // into spaces.
    const isWhiteSpace = /[\t\r\n]/.test(character);
    // Half of a surrogate pair is not a character, and no encoding can represent it.
    const isHalf = /\p{Surrogate}/u.test(character);
    if (!isWhiteSpace && (isHalf || !refersToForbidden)) return '\ufffd';
    return `&#x${character.charCodeAt(0).toString(16)};`;
  });
}
