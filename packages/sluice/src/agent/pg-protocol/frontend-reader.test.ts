import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrontendReader, type FrontendMessage } from './frontend-reader.ts';

function packet(tag: string, body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(tag), length, body]);
}

function code(value: number, rest = ''): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return Buffer.concat([buffer, Buffer.from(rest)]);
}

const session = Buffer.concat([
  packet('', code(80877103)),
  packet('', code(80877104)),
  packet('', code(3 << 16, 'user\0sluice\0client_encoding\0UTF8\0\0')),
  packet('Q', Buffer.from('SELECT é\0')),
  packet('Q', Buffer.from('\0')),
  packet('P', Buffer.from('x')),
  packet('X', Buffer.alloc(0)),
]);

const messages: FrontendMessage[] = [
  { type: 'encryption-request' },
  { type: 'encryption-request' },
  {
    type: 'startup',
    minorVersion: 0,
    parameters: new Map([
      ['user', 'sluice'],
      ['client_encoding', 'UTF8'],
    ]),
  },
  { type: 'query', text: Buffer.from('SELECT é') },
  { type: 'query', text: Buffer.alloc(0) },
  { type: 'other', tag: 'P' },
  { type: 'terminate' },
];

describe('FrontendReader', () => {
  it('reads the same messages however the bytes arrive', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), (sizes) => {
        const reader = new FrontendReader(1000);
        const read: FrontendMessage[] = [];
        let rest = session;
        for (const size of [...sizes, session.length]) {
          read.push(...reader.read(rest.subarray(0, size)));
          rest = rest.subarray(size);
        }
        expect(read).toEqual(messages);
      }),
    );
  });

  it.each([
    ['a length that is negative', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a startup packet of a gigabyte', Buffer.from([0x40, 0, 0, 0])],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['version 2 of the protocol', packet('', code(2 << 16))],
    ['a startup packet without a version', packet('', Buffer.alloc(2))],
  ])('refuses %s', (_, bytes) => {
    expect(() => [...new FrontendReader(1000).read(bytes)]).toThrow(
      expect.objectContaining({ code: 'protocol_violation' }),
    );
  });

  it('refuses a message that is longer than it may be before it has arrived', () => {
    const reader = new FrontendReader(1000);
    const start = packet('', code(3 << 16, '\0'));
    const head = Buffer.from([0x51, 0, 0, 0x10, 0]);
    expect(() => [...reader.read(Buffer.concat([start, head]))]).toThrow(/protocol/);
  });
});
