// A query's result in psql's table format.
const NUMERIC_TYPES = new Set([20, 21, 23, 700, 701, 1700]);

/** @param result of `pg`, with rows as arrays */
export function psqlTable({ fields, rows }) {
  const cells = rows.map((row) => row.map((value) => (value === null ? '' : String(value))));
  const widths = fields.map(({ name }, i) => Math.max(name.length, ...cells.map((row) => row[i].length)));
  const isRight = fields.map(({ dataTypeID }) => NUMERIC_TYPES.has(dataTypeID));
  const lines = [
    fields.map(({ name }, i) => centre(name, widths[i])).join('|'),
    widths.map((width) => '-'.repeat(width + 2)).join('+'),
    ...cells.map((row) =>
      row
        .map((cell, i) => ` ${pad(cell, widths[i], isRight[i])} `)
        .join('|')
        .trimEnd(),
    ),
    `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`,
  ];
  return lines.join('\n');
}

const pad = (text, width, isRight) => (isRight ? text.padStart(width) : text.padEnd(width));

function centre(text, width) {
  const left = Math.floor((width - text.length) / 2);
  return ` ${' '.repeat(left)}${text.padEnd(width - left)} `;
}
