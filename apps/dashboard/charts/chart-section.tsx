'use client';

import { Download } from 'lucide-react';
import { type ReactNode, useRef, useState } from 'react';
import { Button, Segments } from '../components/controls.tsx';
import { Menu } from '../components/overlays.tsx';
import { Section } from '../components/page.tsx';
import { Table } from '../components/table.tsx';
import { saveCharts, saveSheet } from './save.ts';
import { cellText, type Sheet } from './sheet.ts';

/** A section of charts that can be read as a table and saved as SVG, PNG and CSV. */
export function ChartSection({
  title,
  note,
  sheet,
  caption,
  aside,
  children,
}: {
  title: string;
  note?: ReactNode;
  sheet: Sheet;
  /** Stands under a saved picture: data set, protocol. */
  caption: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const charts = useRef<HTMLDivElement>(null);
  const save = (format: 'svg' | 'png') => () => {
    if (charts.current) void saveCharts(charts.current, format, sheet.name, caption);
  };
  const pictures = [
    { label: 'SVG', onSelect: save('svg') },
    { label: 'PNG', onSelect: save('png') },
  ];
  return (
    <Section
      title={title}
      note={note}
      aside={
        <div className="flex flex-wrap items-center gap-2">
          {aside}
          <Segments
            label={`${title} as`}
            value={view}
            options={[
              { value: 'chart', label: 'Chart' },
              { value: 'table', label: 'Table' },
            ]}
            onChange={setView}
          />
          <Menu
            trigger={
              <Button look="quiet" aria-label={`Save ${title}`}>
                <Download aria-hidden className="size-4" />
                Save
              </Button>
            }
            items={[...(view === 'chart' ? pictures : []), { label: 'CSV', onSelect: () => saveSheet(sheet) }]}
          />
        </div>
      }
    >
      {view === 'chart' ? <div ref={charts}>{children}</div> : <SheetTable sheet={sheet} caption={title} />}
    </Section>
  );
}

function SheetTable({ sheet, caption }: { sheet: Sheet; caption: string }) {
  const rows = sheet.rows.map((cells, index) => ({ cells, index }));
  return (
    <Table
      caption={caption}
      rows={rows}
      rowKey={(row) => String(row.index)}
      columns={sheet.columns.map((name, column) => ({
        name,
        right: sheet.rows.some((row) => typeof row[column] === 'number'),
        cell: (row: (typeof rows)[number]) => cellText(row.cells[column] ?? null),
      }))}
    />
  );
}
