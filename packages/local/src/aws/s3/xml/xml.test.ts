import { describe, expect, it } from 'vitest';
import { XmlReader, type XmlNode } from './read-xml.ts';
import { writeErrorXml, writeXml } from './write-xml.ts';

function read(xml: string, pieceBytes = xml.length): XmlNode {
  const reader = new XmlReader();
  const bytes = Buffer.from(xml);
  for (let start = 0; start < bytes.length; start += pieceBytes)
    reader.write(bytes.subarray(start, start + pieceBytes));
  return reader.end();
}

describe('XmlReader', () => {
  it.each([1, 3, 1000])('reads elements, references and CDATA in pieces of %i bytes', (pieceBytes) => {
    const root = read(
      '<?xml version="1.0" encoding="UTF-8"?>\n<d:Delete xmlns:d="x"><Quiet>true</Quiet><!-- no --><Object><Key> a&amp;b&#x20AC;é<![CDATA[<]]></Key></Object></d:Delete>',
      pieceBytes,
    );
    expect(root.name).toBe('Delete');
    expect(root.textOf('Quiet')).toBe('true');
    expect(root.all('Object')[0]?.all('Key')[0]?.text).toBe(' a&b€é<');
  });

  it.each([
    ['a DTD', '<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'],
    ['an external DTD', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['an unknown entity', '<a>&e;</a>'],
    ['an open element', '<a><b></a>'],
    ['two roots', '<a/><b/>'],
    ['text alone', 'hello'],
    ['nothing', ' '],
    ['deep nesting', '<a>'.repeat(11) + '</a>'.repeat(11)],
    ['too many elements', `<a>${'<b/>'.repeat(100_001)}</a>`],
  ])('refuses %s', (_what, xml) => {
    expect(() => read(xml)).toThrow(Error);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => new XmlReader().write(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0xff]))).toThrow(Error);
  });

  it('reads the 10,000 parts of an upload in a fraction of a second', () => {
    const part = '<Part><PartNumber>1</PartNumber><ETag>"0123456789abcdef0123456789abcdef"</ETag></Part>';
    const startedMs = performance.now();
    expect(read(`<C>${part.repeat(10_000)}</C>`, 65_536).all('Part')).toHaveLength(10_000);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});

describe('writeXml', () => {
  it('escapes text and leaves out what is undefined', () => {
    expect(
      writeXml('Result', [
        ['Key', '<a> & "b"\r\n\u0001'],
        ['Gone', undefined],
        ['Empty', ''],
        ['List', [['Number', 1]]],
        ['Flag', false],
      ]),
    ).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Result xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Key>&lt;a&gt; &amp; &quot;b&quot;&#xd;&#xa;&#x1;</Key><Empty/><List><Number>1</Number></List><Flag>false</Flag></Result>',
    );
    expect(writeErrorXml([['Code', 'NoSuchKey']])).toContain('<Error><Code>NoSuchKey</Code></Error>');
  });
});
