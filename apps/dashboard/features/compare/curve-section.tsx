'use client';

import type { ReactNode } from 'react';
import { ChartSection } from '../../charts/chart-section.tsx';
import { CurveGrid } from './curve-grid.tsx';
import { type CurveGroup, curveSheet } from './curves.ts';

/** The curves of one protocol as small multiples: what stands under a saved picture names it, and below the picture stands what it is. */
export function CurveSection({
  group: { protocol, reason, curves },
  title,
  note,
  caption,
  aside,
  ...grid
}: {
  group: CurveGroup;
  title: string;
  note?: ReactNode;
  caption: string;
  aside?: ReactNode;
  stops: readonly number[];
  threshold: number;
  onThreshold: (threshold: number) => void;
  onOpen: (finding: string) => void;
}) {
  return (
    <ChartSection
      title={title}
      note={
        <>
          {reason && <p className="font-semibold text-ink">{reason}</p>}
          {note}
        </>
      }
      sheet={curveSheet(curves)}
      caption={`${caption}, protocol ${protocol.name}. CXR Lens`}
      aside={aside}
    >
      <CurveGrid sets={curves} {...grid} />
      <p className="max-w-[110ch] pt-4 text-small text-muted">
        <span className="font-semibold text-ink">Protocol {protocol.name}.</span> {protocol.description}
      </p>
    </ChartSection>
  );
}
