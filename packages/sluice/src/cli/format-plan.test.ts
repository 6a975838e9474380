import { expect, it } from 'vitest';
import { formatPlan } from './format-plan.ts';

const plan = (tables: [name: string, estimatedRows: number | undefined][], leftOut: string[] = []) => ({
  tables: tables.map(([name, estimatedRows]) => ({ name, files: 2, estimatedRows, estimatedBytes: 1e6 })),
  leftOut,
  destination: 's3://sample-bucket/sales/',
  tried: { uploads: ['one.csv', 'manifest.json'], deletes: undefined },
});

it('is a table, in columns whatever characters the names have', () => {
  const text = formatPlan(
    plan(
      [
        ['public.orders', 1_234],
        ['public.日本', 7],
      ],
      ['the view public.v'],
    ),
  );
  expect(text).toBe(`table                      rows     on disk    files
public.orders            ~1,234      1.0 MB        2
public.日本                  ~7      1.0 MB        2
total                    ~1,241      2.0 MB        4
left out: the view public.v, which is exported only when it is named without wildcards
an upload was opened and aborted for one.csv and manifest.json: this identity may store them
to s3://sample-bucket/sales/; nothing was exported
`);
});

it('does not add up what is not known', () => {
  const text = formatPlan(
    plan([
      ['a.a', 1],
      ['a.b', undefined],
    ]),
  );
  expect(text).toMatch(/^total +\? +2\.0 MB +4$/m);
});

it('shows no control character as it is', () => {
  const name = 'a.\u001b[2J\nx';
  const text = formatPlan(plan([[name, 1]], [`the view ${name}`]));
  expect(text).not.toContain('\u001b');
  expect(text.split('\n')).toHaveLength(6);
});
