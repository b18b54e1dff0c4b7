'use client';

import { type KeyboardEvent, type PointerEvent, type RefObject, useEffect, useRef } from 'react';
import { adjustWindow, pan, START, type View, zoomAt } from './view.ts';

export type Tool = 'pan' | 'window';

type Change = (change: (view: View) => View) => void;

const KEYS: Record<string, (view: View) => View> = {
  ArrowLeft: (view) => pan(view, 0.1, 0),
  ArrowRight: (view) => pan(view, -0.1, 0),
  ArrowUp: (view) => pan(view, 0, 0.1),
  ArrowDown: (view) => pan(view, 0, -0.1),
  '+': (view) => zoomAt(view, 1.25, 0.5, 0.5),
  '=': (view) => zoomAt(view, 1.25, 0.5, 0.5),
  '-': (view) => zoomAt(view, 0.8, 0.5, 0.5),
  '[': (view) => adjustWindow(view, -0.05, 0),
  ']': (view) => adjustWindow(view, 0.05, 0),
  ',': (view) => adjustWindow(view, 0, -0.05),
  '.': (view) => adjustWindow(view, 0, 0.05),
  '0': () => START,
};

/**
 * Pan, zoom and window by mouse, touch, pen and keys. The wheel zooms a pane that has the focus (or with Ctrl), so that the page
 * still scrolls; the right button, or the window tool, drags the window.
 */
export function useGestures(pane: RefObject<HTMLElement | null>, tool: Tool, change: Change) {
  const pointers = useRef(new Map<number, { x: number; y: number }>());

  useEffect(() => {
    const element = pane.current;
    if (!element) return;
    const wheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== element) return;
      event.preventDefault();
      const { x, y } = share(element, event);
      change((view) => zoomAt(view, Math.exp(-event.deltaY / 400), x, y));
    };
    element.addEventListener('wheel', wheel, { passive: false });
    return () => element.removeEventListener('wheel', wheel);
  }, [pane, change]);

  const move = (event: PointerEvent<HTMLElement>): void => {
    const before = pointers.current.get(event.pointerId);
    if (!before) return;
    const element = event.currentTarget;
    const now = share(element, event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, now);
    const dx = now.x - before.x;
    const dy = now.y - before.y;
    if (other) {
      const factor = distance(now, other) / Math.max(distance(before, other), 1e-3);
      change((view) => pan(zoomAt(view, factor, (now.x + other.x) / 2, (now.y + other.y) / 2), dx / 2, dy / 2));
    } else if (tool === 'window' || (event.buttons & 2) !== 0) change((view) => adjustWindow(view, dx, dy));
    else change((view) => pan(view, dx, dy));
  };
  const end = (event: PointerEvent<HTMLElement>): void => {
    pointers.current.delete(event.pointerId);
  };
  return {
    onPointerDown: (event: PointerEvent<HTMLElement>): void => {
      event.currentTarget.setPointerCapture(event.pointerId);
      pointers.current.set(event.pointerId, share(event.currentTarget, event));
    },
    onPointerMove: move,
    onPointerUp: end,
    onPointerCancel: end,
    onContextMenu: (event: { preventDefault: () => void }): void => event.preventDefault(),
    onDoubleClick: (): void => change(() => START),
    onKeyDown: (event: KeyboardEvent): void => {
      const step = KEYS[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      change(step);
    },
  };
}

function share(element: HTMLElement, event: { clientX: number; clientY: number }): { x: number; y: number } {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
