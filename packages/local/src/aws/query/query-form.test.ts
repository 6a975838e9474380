import { expect, test } from 'vitest';
import { QueryForm } from './query-form.ts';

const form = new QueryForm([
  ['Name', 'value'],
  ['Empty', ''],
  ['Number', '12'],
  ['TagKeys.member.2', 'second'],
  ['TagKeys.member.10', 'tenth'],
  ['TagKeys.member.1', 'first'],
  ['Tags.member.1.Key', 'k'],
  ['Tags.member.1.Value', ''],
]);

test('lists are in the order of their numbers', () => {
  expect(form.list('TagKeys')).toEqual(['first', 'second', 'tenth']);
  expect(form.list('None')).toEqual([]);
});

test('the structures of a list are forms', () => {
  const [tag] = form.structures('Tags');
  expect(tag?.required('Key')).toBe('k');
  expect(tag?.required('Value', { min: 0 })).toBe('');
});

test('an empty optional parameter is absent', () => {
  expect(form.optional('Empty')).toBeUndefined();
  expect(form.boolean('Empty')).toBe(false);
});

test.each([
  [() => form.required('None'), "Value null at 'none' failed to satisfy constraint: Member must not be null"],
  [
    () => form.required('Empty'),
    "Value '' at 'empty' failed to satisfy constraint: Member must have length greater than or equal to 1",
  ],
  [
    () => form.optional('Name', { max: 4 }),
    "Value 'value' at 'name' failed to satisfy constraint: Member must have length less than or equal to 4",
  ],
  [
    () => form.optional('Name', { pattern: /^v\d+$/ }),
    "Value 'value' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: v\\d+",
  ],
  [
    () => form.integer('Number', { min: 13, max: 20 }),
    "Value '12' at 'number' failed to satisfy constraint: Member must have value greater than or equal to 13",
  ],
  [
    () => form.integer('Number', { min: 1, max: 11 }),
    "Value '12' at 'number' failed to satisfy constraint: Member must have value less than or equal to 11",
  ],
  [
    () => form.integer('Name', { min: 1, max: 2 }),
    "Value 'value' at 'name' failed to satisfy constraint: Member must be an integer",
  ],
])('%#: what breaks its rules is refused as AWS refuses it', (read, message) => {
  expect(read).toThrow(`1 validation error detected: ${message}`);
});
