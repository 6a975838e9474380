import { expect, test } from 'vitest';
import { JsonNumber, parseJsonStrictly } from './parse-json-strictly.ts';

const parse = (text: string) => parseJsonStrictly(text, { maxDepth: 4 });

test('reads what JSON.parse reads', () => {
  expect(parse(' {"a":[1,"\\u00e9\\n",true,false,null,{}],"b":""} ')).toEqual(
    new Map<string, unknown>([
      ['a', [new JsonNumber('1'), 'é\n', true, false, null, new Map()]],
      ['b', ''],
    ]),
  );
});

test('numbers keep every digit', () => {
  expect(parse('[9007199254740993, -1.50, 1e3]')).toEqual([
    new JsonNumber('9007199254740993'),
    new JsonNumber('-1.50'),
    new JsonNumber('1e3'),
  ]);
});

test('__proto__ is a key like any other', () => {
  const value = parse('{"__proto__": {"Effect": "Allow"}}');
  expect(value).toBeInstanceOf(Map);
  expect(value instanceof Map && [...value.keys()]).toEqual(['__proto__']);
});

test.each([
  '',
  '{',
  '[1,]',
  '{"a":1,}',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '01',
  '+1',
  '.5',
  'NaN',
  'True',
  '"a',
  '"\\x"',
  '"a\nb"',
  '{} {}',
  '\uFEFF{}',
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '[[[[[[]]]]]]',
])('refuses %o', (text) => {
  expect(() => parse(text)).toThrow(SyntaxError);
});

test('deep nesting is an error of the text, not of the stack', () => {
  expect(() => parse('['.repeat(100_000))).toThrow(SyntaxError);
});
