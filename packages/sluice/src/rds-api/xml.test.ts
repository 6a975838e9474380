import { describe, expect, it } from 'vitest';
import { writeXml } from './xml.ts';

describe('writeXml', () => {
  it('writes nested elements, and leaves out those without content', () => {
    expect(
      writeXml([
        [
          'A',
          [
            ['B', 1],
            ['C', undefined],
            ['D', []],
          ],
        ],
        ['E', true],
      ]),
    ).toBe('<A><B>1</B><D></D></A><E>true</E>');
  });

  it('escapes what would be markup, and replaces what XML cannot hold', () => {
    expect(writeXml([['A', `</A><B a="'">&\r\n`]])).toBe(
      '<A>&lt;/A&gt;&lt;B a=&quot;&apos;&quot;&gt;&amp;&#13;\n</A>',
    );
    expect(writeXml([['A', 'a\u0000b\ud800c😀']])).toBe('<A>a\ufffdb\ufffdc😀</A>');
  });
});
