import { describe, expect, it } from 'vitest';
import { settingsHeaders, validateObjectSettings, type ObjectSettings } from './object-settings.ts';

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n}`, 'value']));

describe('the settings of an object', () => {
  it('become headers, tags as a query string and names of metadata in lower case', () => {
    expect(
      settingsHeaders({
        contentType: 'text/csv',
        storageClass: 'STANDARD_IA',
        tags: { 'cost center': 'a/b=c+d@e', équipe: '' },
        metadata: { Owner: 'Sales & more', 'run-id': '7' },
      }),
    ).toEqual({
      'content-type': 'text/csv',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-tagging': 'cost%20center=a%2Fb%3Dc%2Bd%40e&%C3%A9quipe=',
      'x-amz-meta-owner': 'Sales & more',
      'x-amz-meta-run-id': '7',
    });
  });

  it('become no headers where there are none', () => {
    expect(settingsHeaders({ tags: {}, metadata: {} })).toEqual({});
  });

  it.each<ObjectSettings>([
    { tags: numbered(10), metadata: numbered(10), storageClass: 'GLACIER_IR' },
    { tags: { ['k'.repeat(128)]: 'v'.repeat(256) } },
    { metadata: { a: 'v'.repeat(2_047) } },
    { metadata: { a: '~', __proto__x: 'y' } },
  ])('are taken: %j', (settings) => {
    expect(() => validateObjectSettings(settings)).not.toThrow();
  });

  it.each<[ObjectSettings, string, RegExp]>([
    [{ tags: numbered(11) }, 'an object cannot have 11 tags', /10 at most/],
    [{ tags: { '': 'x' } }, 'invalid tag: "=x"', /key is empty/],
    [{ tags: { ['k'.repeat(129)]: '' } }, 'invalid tag: "kkk', /key is longer than 128/],
    [{ tags: { k: 'v'.repeat(257) } }, 'invalid tag: "k=vvv', /value is longer than 256/],
    // As S3 counts: each is two UTF-16 units.
    [{ tags: { k: '𝒜'.repeat(129) } }, 'invalid tag', /value is longer than 256/],
    [{ tags: { 'AWS:k': '' } }, 'invalid tag', /kept for AWS/],
    [{ tags: { k: 'a\nb' } }, 'invalid tag: "k=a\\nb"', /made of letters/],
    [{ tags: { 'k&x': '' } }, 'invalid tag', /made of letters/],
    [{ metadata: { 'a b': 'x' } }, 'invalid metadata: "a b=x"', /characters of an HTTP header/],
    [{ metadata: { 'a:': 'x' } }, 'invalid metadata', /characters of an HTTP header/],
    [{ metadata: { '': 'x' } }, 'invalid metadata', /name is empty/],
    [{ metadata: { a: '' } }, 'invalid metadata', /value is empty/],
    [{ metadata: { a: 'é' } }, 'invalid metadata: "a=é"', /US-ASCII/],
    [{ metadata: { a: 'x\r\nx-amz-acl: public-read' } }, 'invalid metadata', /US-ASCII/],
    [{ metadata: { a: ' x' } }, 'invalid metadata', /without spaces at its ends/],
    [{ metadata: { Owner: 'x', owner: 'y' } }, 'invalid metadata: "owner=y"', /given twice/],
    [{ metadata: { a: 'v'.repeat(2_048) } }, 'an object cannot have 2049 bytes of metadata', /2048/],
    [{ storageClass: '' }, 'invalid storage class', /empty/],
    [{ storageClass: 'A\r\nb: c' }, 'invalid storage class', /printable/],
  ])('are refused: %j', (settings, message, detail) => {
    const error = { code: 'invalid_argument', message: expect.stringContaining(message) as unknown };
    expect(() => validateObjectSettings(settings)).toThrow(
      expect.objectContaining({ ...error, detail: expect.stringMatching(detail) as unknown }) as Error,
    );
  });
});
