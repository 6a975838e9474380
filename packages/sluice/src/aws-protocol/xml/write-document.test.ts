import { describe, expect, it } from 'vitest';
import { writeDocument, type XmlContent } from './write-document.ts';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

describe('writeDocument', () => {
  it('writes nested elements, and leaves out those without content', () => {
    const content: XmlContent = [
      [
        'A',
        [
          ['B', 1],
          ['C', undefined],
          ['D', []],
        ],
      ],
      ['E', true],
    ];
    expect(writeDocument(['Root', content, { xmlns: 'a"b' }])).toBe(
      `${DECLARATION}<Root xmlns="a&quot;b"><A><B>1</B><D/></A><E>true</E></Root>`,
    );
  });

  it('escapes what would be markup, or what a parser would change', () => {
    expect(writeDocument(['A', `</A><B a="'">&\t\r\n`])).toBe(
      `${DECLARATION}<A>&lt;/A&gt;&lt;B a=&quot;'&quot;&gt;&amp;&#x9;&#xd;&#xa;</A>`,
    );
  });

  it('replaces what XML cannot hold, or refers to it', () => {
    const text = 'a\u0000b\u000b\ufffec\ud800d😀';
    expect(writeDocument(['A', text])).toBe(`${DECLARATION}<A>a\ufffdb\ufffd\ufffdc\ufffdd😀</A>`);
    expect(writeDocument(['A', text], { forbidden: 'reference' })).toBe(
      `${DECLARATION}<A>a&#x0;b&#xb;&#xfffe;c\ufffdd😀</A>`,
    );
  });
});
