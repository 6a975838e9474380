import fc from 'fast-check';
import type { StoredLayout } from './stored-rows.ts';

/** How tables are exported. */
export interface ExportSettings {
  copyOptions: string;
  layout: StoredLayout;
  compression: 'gzip' | undefined;
  /** Whether they are cut by their column `id`, or by ctid. */
  isSplitById: boolean;
  fileSizeBytes: number;
}

/** One in each format. */
export function arbitraryExports({
  hasTextHeader,
}: {
  /** COPY has it since 15. */
  hasTextHeader: boolean;
}): fc.Arbitrary<ExportSettings[]> {
  const text = fc
    .record({
      header: hasTextHeader ? fc.boolean() : fc.constant(false),
      more: fc.constantFrom('', `, delimiter '|'`, `, null 'NULL'`, `, delimiter E'\\x01', null ''`),
    })
    .map(({ header, more }) => ({
      copyOptions: `format text${header ? ', header true' : ''}${more}`,
      layout: { format: 'text', header } as const,
    }));
  const csv = fc
    .record({
      header: fc.boolean(),
      quote: fc.constantFrom('"', '~', '|'),
      escape: fc.constantFrom(undefined, '\\', '"'),
      more: fc.constantFrom('', `, delimiter ';'`, `, null 'NULL'`, ', force_quote *'),
    })
    .map(({ header, quote, escape = quote, more }) => ({
      copyOptions: `format csv, header ${header}, quote '${quote}', escape '${escape}'${more}`,
      layout: { format: 'csv', header, quote, escape } as const,
    }));
  const binary = fc.constant({ copyOptions: 'format binary', layout: { format: 'binary' } as const });
  const rest = {
    compression: fc.constantFrom(undefined, undefined, 'gzip' as const),
    isSplitById: fc.constantFrom(false, false, true),
    fileSizeBytes: fc.constantFrom(60_000, 200_000),
  };
  const withRest = (format: fc.Arbitrary<Pick<ExportSettings, 'copyOptions' | 'layout'>>) =>
    fc.tuple(format, fc.record(rest)).map(([first, second]) => ({ ...first, ...second }));
  return fc.tuple(withRest(text), withRest(csv), withRest(binary));
}
