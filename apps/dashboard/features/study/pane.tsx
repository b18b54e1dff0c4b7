'use client';

import { useEffect, useMemo, useRef, useState } from 'react';
import { MethodDot } from '../../components/marks.tsx';
import { decimal } from '../../lib/format.ts';
import { mapUnit, methodColour } from '../../lib/methods.ts';
import { gradient, grey, inferno, paint, redBlue } from './colours.ts';
import { CAM_GRID, type NumberMap, outline, scaleSaliency, scaleTo255, upsample } from './maps.ts';
import type { Explanation, StudyImage } from './queries.ts';
import { type Tool, useGestures } from './use-gestures.ts';
import { useMap } from './use-map.ts';
import type { View } from './view.ts';

export type Layer = 'none' | 'cam' | 'saliency';

export interface Display {
  layer: Layer;
  opacity: number;
  /** 0 to 255; null: each run's own, from the protocol. */
  threshold: number | null;
  outline: boolean;
  boxes: boolean;
  saliencyScale: 'grey' | 'red-blue';
  tool: Tool;
}

interface Props {
  image: StudyImage;
  explanation: Explanation | undefined;
  name: string;
  /** Of the run; undefined for the picture alone. */
  method: string | undefined;
  view: View;
  onView: (change: (view: View) => View) => void;
  display: Display;
}

const NO_PICTURE = { message: 'The picture could not be read: upload it again, or delete the study.' };

/** One run's look at the picture: pixels, map, region and boxes in the same place; pans and zooms with its neighbours. */
export function Pane({ image, explanation, name, method, view, onView, display }: Props) {
  const pane = useRef<HTMLElement>(null);
  const gestures = useGestures(pane, display.tool, onView);
  const wantsCam = display.layer === 'cam' || display.outline;
  const cam = useMap(wantsCam ? explanation?.cam.npyUrl : undefined);
  const saliency = useMap(display.layer === 'saliency' ? explanation?.saliency.npyUrl : undefined);
  const scaled = useMemo(() => (cam.map ? scaleTo255(upsample(cam.map, CAM_GRID, CAM_GRID)) : undefined), [cam.map]);
  const [missing, setMissing] = useState<string | null>(null);
  const failed = missing === image.url ? NO_PICTURE : (cam.error ?? saliency.error);
  const threshold = display.threshold ?? explanation?.camThreshold ?? null;
  const finding = explanation?.finding;
  return (
    <figure className="min-w-0">
      <figcaption className="flex min-h-7 items-baseline justify-between gap-2">
        <span className="flex items-center gap-2 font-semibold">
          {method && <MethodDot method={method} />}
          {name}
        </span>
        {failed ? (
          <span className="text-small text-danger">{failed.message}</span>
        ) : (
          <span className="truncate text-small text-muted">{finding ? finding.label : 'not explained yet'}</span>
        )}
      </figcaption>
      <section
        ref={pane}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys pan, zoom and window the picture
        tabIndex={0}
        aria-label={`${name}: ${image.fileName ?? 'image'}${finding ? `, ${finding.label}` : ''}. Arrows pan, plus and minus zoom, brackets and comma and period set the window, 0 resets.`}
        className={`reading-room relative w-full overflow-hidden bg-black select-none ${view.zoom > 1 ? 'touch-none' : 'touch-pan-y'} ${display.tool === 'window' ? 'cursor-crosshair' : 'cursor-grab active:cursor-grabbing'}`}
        style={{ aspectRatio: `${image.width} / ${image.height}` }}
        {...gestures}
      >
        <div
          className="absolute inset-0 origin-top-left"
          style={{ transform: `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.zoom})` }}
        >
          {/* biome-ignore lint/performance/noImgElement: stored pixels, shown as they are */}
          <img
            src={image.url}
            alt=""
            draggable={false}
            onError={() => setMissing(image.url)}
            onLoad={() => setMissing(null)}
            className="absolute inset-0 size-full"
            style={{ filter: 'url(#study-window)' }}
          />
          {display.layer === 'cam' && scaled && <MapCanvas map={scaled} scale={inferno} top={255} opacity={display.opacity} />}
          {display.layer === 'saliency' && saliency.map && (
            <MapCanvas
              map={saliency.map}
              prepare={scaleSaliency}
              scale={display.saliencyScale === 'grey' ? grey : redBlue}
              top={1}
              opacity={display.opacity}
            />
          )}
          {display.outline && scaled && threshold !== null && explanation && (
            <Region map={scaled} threshold={threshold} colour={methodColour(explanation.run.method.name)} />
          )}
          {display.boxes && <Boxes image={image} explanation={explanation} />}
        </div>
      </section>
      <Legend explanation={explanation} display={display} threshold={threshold} constant={scaled === null} />
    </figure>
  );
}

function MapCanvas({
  map,
  prepare,
  scale,
  top,
  opacity,
}: {
  map: NumberMap;
  prepare?: (map: NumberMap) => NumberMap;
  scale: typeof inferno;
  top: number;
  opacity: number;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    element.width = map.width;
    element.height = map.height;
    const pixels = paint(prepare ? prepare(map) : map, scale, top);
    element.getContext('2d')?.putImageData(new ImageData(pixels, map.width, map.height), 0, 0);
  }, [map, prepare, scale, top]);
  return <canvas ref={canvas} aria-hidden className="pointer-events-none absolute inset-0 size-full" style={{ opacity }} />;
}

function Region({ map, threshold, colour }: { map: NumberMap; threshold: number; colour: string }) {
  const path = useMemo(() => outline(map, threshold), [map, threshold]);
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${map.width} ${map.height}`}
      preserveAspectRatio="none"
      className="pointer-events-none absolute inset-0 size-full"
      fill="none"
    >
      <path d={path} vectorEffect="non-scaling-stroke" strokeWidth={3.5} stroke="#000" strokeOpacity={0.6} />
      <path d={path} vectorEffect="non-scaling-stroke" strokeWidth={1.5} style={{ stroke: colour }} />
    </svg>
  );
}

/** Ground truth solid white with a dark halo, the run's own box dashed in its colour. */
function Boxes({ image, explanation }: { image: StudyImage; explanation: Explanation | undefined }) {
  const known = explanation ? image.boxes.filter(({ finding }) => finding.name === explanation.finding.name) : image.boxes;
  const line = { vectorEffect: 'non-scaling-stroke', fill: 'none' } as const;
  return (
    <svg
      aria-hidden
      viewBox={`0 0 ${image.width} ${image.height}`}
      preserveAspectRatio="none"
      className="pointer-events-none absolute inset-0 size-full"
    >
      {known.map(({ finding, box }) => (
        <g key={finding.name}>
          <rect {...box} {...line} stroke="#000" strokeOpacity={0.7} strokeWidth={4.5} />
          <rect {...box} {...line} stroke="#fff" strokeWidth={1.75} />
        </g>
      ))}
      {explanation?.box && (
        <g>
          <rect {...explanation.box} {...line} stroke="#000" strokeOpacity={0.6} strokeWidth={3.5} />
          <rect
            {...explanation.box}
            {...line}
            strokeWidth={1.75}
            strokeDasharray="6 4"
            style={{ stroke: methodColour(explanation.run.method.name) }}
          />
        </g>
      )}
    </svg>
  );
}

/** What the colours mean, in the map's own units. */
function Legend({
  explanation,
  display,
  threshold,
  constant,
}: {
  explanation: Explanation | undefined;
  display: Display;
  threshold: number | null;
  constant: boolean;
}) {
  const scale = display.layer === 'cam' ? inferno : display.saliencyScale === 'grey' ? grey : redBlue;
  const shown = explanation && display.layer !== 'none';
  return (
    <div className="flex h-7 items-center gap-2 text-small text-muted">
      {shown && constant && display.layer === 'cam' && <span>The map is the same everywhere: it has no region.</span>}
      {shown && !(constant && display.layer === 'cam') && (
        <>
          <span className="whitespace-nowrap">{display.layer === 'cam' ? decimal(explanation.cam.min) : '−3 sd'}</span>
          <span className="relative h-2 w-full max-w-48 max-sm:max-w-32" style={{ background: gradient(scale) }}>
            {display.layer === 'cam' && display.outline && threshold !== null && (
              <span
                className="absolute -inset-y-1 w-0.5 bg-ink ring-1 ring-paper"
                style={{ left: `calc(${(threshold / 255) * 100}% - 1px)` }}
              />
            )}
          </span>
          <span className="whitespace-nowrap">{display.layer === 'cam' ? decimal(explanation.cam.max) : '+3 sd'}</span>
          <span className="truncate">{display.layer === 'cam' ? mapUnit(explanation.run.method.map) : 'd logit / d pixel'}</span>
        </>
      )}
    </div>
  );
}
