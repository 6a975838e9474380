import { describe, expect, it } from 'vitest';
import { displayWidth, padEnd, shorten } from './display-width.ts';

describe('displayWidth', () => {
  it.each([
    ['', 0],
    ['public.orders', 13],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한국', 4],
    ['ｆ', 2],
    ['😀', 2],
    ['…', 1],
  ])('%j: %d', (text, width) => expect(displayWidth(text)).toBe(width));
});

describe('shorten', () => {
  it.each([
    ['orders', 6, 'orders'],
    ['orders', 5, 'orde…'],
    ['orders', 1, '…'],
    ['orders', 0, ''],
    ['日本語', 5, '日本…'],
    // Half of a character is none.
    ['日本語', 4, '日…'],
    ['😀😀', 3, '😀…'],
  ])('%j to %d columns', (text, columns, shortened) => expect(shorten(text, columns)).toBe(shortened));
});

describe('padEnd', () => {
  it('counts columns, not characters', () => expect(padEnd('日本', 6)).toBe('日本  '));
});
