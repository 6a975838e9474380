import { writeDocument, type XmlContent, type XmlElement } from 'sluice/aws-protocol';

export type { XmlContent, XmlElement };

/**
 * S3's keys may contain control characters, which XML 1.0 can't represent. S3 writes them as character references
 * anyway, and offers encoding-type=url to clients whose parsers refuse those.
 */
const OPTIONS = { forbidden: 'reference' } as const;

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A whole answer of S3. */
export function writeXml(name: string, content: XmlContent): string {
  return writeDocument([name, content ?? '', { xmlns: NAMESPACE }], OPTIONS);
}

/** An error document, which has no namespace. */
export function writeErrorXml(content: readonly XmlElement[]): string {
  return writeDocument(['Error', content], OPTIONS);
}
