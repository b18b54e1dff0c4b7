import type { ReactNode } from 'react';

export interface Column<Row> {
  name: string;
  /** Numbers stand right. */
  right?: boolean;
  /** Extra classes of the cells, such as from which width on the column is shown. */
  className?: string;
  cell: (row: Row) => ReactNode;
}

/** A table of hairlines. The first column is each row's heading; a wide table scrolls by itself, never the page. */
export function Table<Row>({
  caption,
  columns,
  rows,
  rowKey,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section className="overflow-x-auto" aria-label={caption} tabIndex={0}>
      <table className="w-full border-collapse text-left">
        <caption className="sr-only">{caption}</caption>
        <thead>
          <tr className="border-b border-line text-small text-muted">
            {columns.map(({ name, right, className = '' }) => (
              <th key={name} scope="col" className={`h-8 pr-4 font-normal last:pr-0 ${right ? 'text-right' : ''} ${className}`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} className="border-b border-line hover:bg-raised">
              {columns.map(({ name, right, className = '', cell }, index) => {
                const classes = `h-8 py-1 pr-4 font-normal last:pr-0 ${right ? 'text-right whitespace-nowrap' : ''} ${className}`;
                return index === 0 ? (
                  <th key={name} scope="row" className={`${classes} text-left`}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={name} className={classes}>
                    {cell(row)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
