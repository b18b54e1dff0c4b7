import { Facts } from '../../components/page.tsx';
import { Table } from '../../components/table.tsx';
import { jsonText, short } from '../../lib/format.ts';
import { jsonParts } from './json-parts.ts';

/** A JSON object for reading: single values as facts, what is keyed alike as one table, all of it as stored on demand. */
export function JsonView({ value, name }: { value: Record<string, unknown>; name: string }) {
  const { facts, table } = jsonParts(value);
  return (
    <div className="flex flex-col gap-5">
      <Facts items={facts.map((fact) => ({ name: fact.name, value: <Fact text={fact.text} /> }))} />
      {table && (
        <Table
          caption={`${name}: ${table.name}`}
          rows={table.rows}
          rowKey={({ key }) => key}
          columns={[
            { name: table.name, cell: ({ key }) => key.replaceAll('_', ' ') },
            ...table.columns.map((column) => ({
              name: column,
              className: 'min-w-24',
              right: table.rows.every(({ values }) => typeof values[column] !== 'string'),
              cell: ({ values }: (typeof table.rows)[number]) => (column in values ? jsonText(values[column]) : '–'),
            })),
          ]}
        />
      )}
      <details>
        <summary className="text-muted hover:text-ink">As stored</summary>
        <pre className="mt-2 max-h-96 overflow-auto bg-raised p-3 font-mono text-small">{JSON.stringify(value, null, 2)}</pre>
      </details>
    </div>
  );
}

/** Hashes are shortened: enough to compare by eye. */
function Fact({ text }: { text: string }) {
  if (!/^[0-9a-f]{32,}$/.test(text)) return <span className="max-w-[48ch]">{text}</span>;
  return (
    <span className="font-mono text-small" title={text}>
      {short(text, 12)}
    </span>
  );
}
