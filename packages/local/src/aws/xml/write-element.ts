/** What stands in an element: text, or child elements in order. Undefined leaves the element out. */
export type XmlContent = string | number | boolean | readonly XmlElement[] | undefined;

export type XmlElement = readonly [
  name: string,
  content: XmlContent,
  attributes?: Readonly<Record<string, string>>,
];

/** A whole document with this root. */
export function writeDocument(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${writeElement(root)}`;
}

function writeElement([name, content, attributes = {}]: XmlElement): string {
  if (content === undefined) return '';
  const start = Object.entries(attributes)
    .map(([attribute, value]) => ` ${attribute}="${escapeXml(value)}"`)
    .join('');
  const inner = typeof content === 'object' ? content.map(writeElement).join('') : escapeXml(String(content));
  return inner === '' ? `<${name}${start}/>` : `<${name}${start}>${inner}</${name}>`;
}

/**
 * S3's keys may hold control characters, which XML 1.0 has no way to write. S3 writes them as character references
 * all the same, and offers encoding-type=url to clients whose parser declines them.
 */
function escapeXml(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[&<>"\u0000-\u001f\ufffe\uffff]/g, (character) => {
    switch (character) {
      case '&':
        return '&amp;';
      case '<':
        return '&lt;';
      case '>':
        return '&gt;';
      case '"':
        return '&quot;';
      default:
        return `&#x${character.charCodeAt(0).toString(16)};`;
    }
  });
}
