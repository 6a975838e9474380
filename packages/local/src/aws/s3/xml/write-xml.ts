import { writeDocument, type XmlContent, type XmlElement } from '../../xml/write-element.ts';

export type { XmlContent, XmlElement };

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A whole answer of S3. */
export function writeXml(name: string, content: XmlContent): string {
  return writeDocument([name, content ?? '', { xmlns: NAMESPACE }]);
}

/** An error; those have no namespace. */
export function writeErrorXml(content: readonly XmlElement[]): string {
  return writeDocument(['Error', content]);
}
