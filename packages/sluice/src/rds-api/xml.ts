/** An element: its name, and its text or its children. One without content (undefined) is left out. */
export type XmlElement = readonly [name: string, content: XmlContent];
type XmlContent = string | number | boolean | undefined | readonly XmlElement[];

export function writeXml(elements: readonly XmlElement[]): string {
  return elements
    .map(([name, content]) => {
      if (content === undefined) return '';
      return `<${name}>${typeof content === 'object' ? writeXml(content) : escape(String(content))}</${name}>`;
    })
    .join('');
}

/** Includes what XML 1.0 can't hold at all, escaped or not: https://www.w3.org/TR/xml/#charsets */
// oxlint-disable-next-line no-control-regex
const SPECIAL = /[&<>"'\r]|[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
};

function escape(text: string): string {
  return text.replace(SPECIAL, (character) => ENTITIES[character] ?? '\ufffd');
}
