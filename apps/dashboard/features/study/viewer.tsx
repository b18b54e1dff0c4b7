'use client';

import { Hand, SlidersHorizontal, ZoomIn, ZoomOut } from 'lucide-react';
import { type ReactNode, useCallback, useState } from 'react';
import { Button, IconButton, Segments, Slider } from '../../components/controls.tsx';
import { decimal } from '../../lib/format.ts';
import { mapsLabel, runLabels } from '../../lib/methods.ts';
import { type Display, type Layer, Pane } from './pane.tsx';
import type { ExplainedRun, Explanation, StudyImage } from './queries.ts';
import { adjustWindow, START, type View, windowLine, zoomAt } from './view.ts';

const DISPLAY: Display = {
  layer: 'cam',
  opacity: 0.5,
  threshold: null,
  outline: true,
  boxes: true,
  saliencyScale: 'grey',
  tool: 'pan',
};

/** The picture, once for each shown run, side by side and in step. */
export function Viewer({
  image,
  runs,
  explanations,
}: {
  image: StudyImage;
  runs: readonly ExplainedRun[];
  /** Of the finding that is looked at, one a run. */
  explanations: readonly (Explanation | undefined)[];
}) {
  const [view, setView] = useState<View>(START);
  const [display, setDisplay] = useState<Display>(DISPLAY);
  const change = (changed: Partial<Display>): void => setDisplay((now) => ({ ...now, ...changed }));
  const changeView = useCallback((next: (view: View) => View) => setView(next), []);
  const names = runLabels(runs);
  const panes =
    runs.length === 0
      ? [{ key: 'image', explanation: undefined, name: image.fileName ?? 'Image', method: undefined }]
      : runs.map((run, index) => ({ key: run.id, explanation: explanations[index], name: names.get(run.id)!, method: run.method.name }));
  const { slope, intercept } = windowLine(view);
  // Wide enough to read, never taller than the window.
  const most = `calc((100dvh - 240px) * ${(image.width / image.height) * Math.min(panes.length, 2)})`;
  return (
    <div>
      <svg aria-hidden width={0} height={0} className="absolute">
        <filter id="study-window" colorInterpolationFilters="sRGB">
          <feComponentTransfer>
            <feFuncR type="linear" slope={slope} intercept={intercept} />
            <feFuncG type="linear" slope={slope} intercept={intercept} />
            <feFuncB type="linear" slope={slope} intercept={intercept} />
          </feComponentTransfer>
        </filter>
      </svg>
      <div
        className={`grid gap-x-2 gap-y-2 sm:min-w-0 ${panes.length > 1 ? 'sm:grid-cols-2' : ''}`}
        style={{ maxWidth: `max(${most}, 320px)` }}
      >
        {panes.map(({ key, ...pane }) => (
          <Pane key={key} image={image} {...pane} view={view} onView={changeView} display={display} />
        ))}
      </div>
      <Toolbar view={view} onView={changeView} display={display} change={change} explanations={explanations} />
    </div>
  );
}

function Toolbar({
  view,
  onView,
  display,
  change,
  explanations,
}: {
  view: View;
  onView: (change: (view: View) => View) => void;
  display: Display;
  change: (changed: Partial<Display>) => void;
  explanations: readonly (Explanation | undefined)[];
}) {
  const own = explanations.map((explanation) => explanation?.camThreshold ?? null);
  const known = own.filter((threshold) => threshold !== null);
  const layers: readonly { value: Layer; label: string }[] = [
    { value: 'none', label: 'Image' },
    { value: 'cam', label: mapsLabel(explanations.flatMap((explanation) => explanation?.run.method.map ?? [])) },
    { value: 'saliency', label: 'Saliency' },
  ];
  const explained = explanations.some((explanation) => explanation !== undefined);
  return (
    <div role="toolbar" aria-label="Picture" className="flex flex-col gap-2 pt-2">
      <Row>
        {explained && (
          <Segments
            label="Shown over the picture"
            value={display.layer}
            options={layers}
            onChange={(layer) => change({ layer, opacity: layer === 'saliency' ? 1 : 0.5 })}
          />
        )}
        {explained && display.layer === 'saliency' && (
          <Segments
            label="Saliency colours"
            value={display.saliencyScale}
            options={[
              { value: 'grey', label: 'Grey' },
              { value: 'red-blue', label: 'Red-blue' },
            ]}
            onChange={(saliencyScale) => change({ saliencyScale })}
          />
        )}
        {explained && display.layer !== 'none' && (
          <Slider
            label="Opacity"
            min={0}
            max={1}
            step={0.05}
            value={display.opacity}
            show={`${Math.round(display.opacity * 100)} %`}
            onChange={(opacity) => change({ opacity })}
          />
        )}
        {explained && <Check label="Region" checked={display.outline} onChange={(outline) => change({ outline })} />}
        <Check label="Boxes" checked={display.boxes} onChange={(boxes) => change({ boxes })} />
        {explained && display.outline && (
          <>
            <Slider
              label="Threshold"
              min={1}
              max={255}
              step={1}
              value={display.threshold ?? known[0] ?? 128}
              show={
                display.threshold === null
                  ? known.length === 0
                    ? 'none set'
                    : [...new Set(known.map((value) => decimal(value, 0)))].join(', ')
                  : decimal(display.threshold, 0)
              }
              onChange={(threshold) => change({ threshold })}
            />
            {display.threshold !== null && (
              <Button look="quiet" onClick={() => change({ threshold: null })}>
                Protocol's own
              </Button>
            )}
          </>
        )}
      </Row>
      <Row>
        <div className="flex">
          <IconButton label="Drag moves the picture" aria-pressed={display.tool === 'pan'} onClick={() => change({ tool: 'pan' })}>
            <Hand aria-hidden className="size-4" />
          </IconButton>
          <IconButton
            label="Drag sets the window: sideways its width, up and down its level"
            aria-pressed={display.tool === 'window'}
            onClick={() => change({ tool: 'window' })}
          >
            <SlidersHorizontal aria-hidden className="size-4" />
          </IconButton>
          <IconButton label="Zoom out" disabled={view.zoom <= 1} onClick={() => onView((now) => zoomAt(now, 0.8, 0.5, 0.5))}>
            <ZoomOut aria-hidden className="size-4" />
          </IconButton>
          <IconButton label="Zoom in" onClick={() => onView((now) => zoomAt(now, 1.25, 0.5, 0.5))}>
            <ZoomIn aria-hidden className="size-4" />
          </IconButton>
        </div>
        <Slider
          label="Window"
          min={0.02}
          max={2}
          step={0.02}
          value={view.width}
          show={String(Math.round(view.width * 255))}
          onChange={(width) => onView((now) => adjustWindow(now, width - now.width, 0))}
        />
        <Slider
          label="Level"
          min={0}
          max={1}
          step={0.01}
          value={view.centre}
          show={String(Math.round(view.centre * 255))}
          onChange={(centre) => onView((now) => adjustWindow(now, 0, centre - now.centre))}
        />
        <Button look="quiet" onClick={() => onView(() => START)}>
          Reset
        </Button>
        <span className="text-small text-muted max-md:hidden">Click a picture, then the wheel zooms. {decimal(view.zoom, 1)} ×</span>
      </Row>
    </div>
  );
}

function Row({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-x-4 gap-y-1">{children}</div>;
}

function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label className="flex h-8 items-center gap-2">
      <input type="checkbox" className="size-4" checked={checked} onChange={(event) => onChange(event.target.checked)} />
      {label}
    </label>
  );
}
