import { Facts } from '../../components/page.tsx';
import { Table } from '../../components/table.tsx';
import { jsonText } from '../../lib/format.ts';
import { jsonParts } from './json-parts.ts';

/** A JSON object for reading: single values as facts, a table for each object of alike objects. */
export function JsonView({ value, name }: { value: Record<string, unknown>; name: string }) {
  const { facts, tables } = jsonParts(value);
  return (
    <div className="flex flex-col gap-6">
      {facts.length > 0 && (
        <Facts items={facts.map((fact) => ({ name: fact.name, value: <span className="max-w-80 break-all">{fact.text}</span> }))} />
      )}
      {tables.map((table) => (
        <details key={table.name}>
          <summary className="text-muted hover:text-ink">{table.name}</summary>
          <div className="pt-2">
            <Table
              caption={`${name}: ${table.name}`}
              rows={table.rows}
              rowKey={({ key }) => key}
              columns={[
                { name: table.name, cell: ({ key }) => key },
                ...table.columns.map((column) => ({
                  name: column,
                  right: table.rows.every(({ values }) => typeof values[column] === 'number' || values[column] === undefined),
                  cell: ({ values }: (typeof table.rows)[number]) => (column in values ? jsonText(values[column]) : '–'),
                })),
              ]}
            />
          </div>
        </details>
      ))}
    </div>
  );
}
