/** How every pane shows its picture: magnification, place (in shares of the pane), window. */
export interface View {
  zoom: number;
  x: number;
  y: number;
  /** Grey value in [0, 1] that is shown mid-grey. */
  centre: number;
  /** Range of grey values in (0, 2] from black to white. */
  width: number;
}

export const START: View = { zoom: 1, x: 0, y: 0, centre: 0.5, width: 1 };

const MOST = 16;

/** Magnified by `factor` about the point (px, py), in shares of the pane; the point stays where it is. */
export function zoomAt(view: View, factor: number, px: number, py: number): View {
  const zoom = Math.min(Math.max(view.zoom * factor, 1), MOST);
  const ratio = zoom / view.zoom;
  return inside({ ...view, zoom, x: px - (px - view.x) * ratio, y: py - (py - view.y) * ratio });
}

/** Moved by shares of the pane; the picture always fills it. */
export function pan(view: View, dx: number, dy: number): View {
  return inside({ ...view, x: view.x + dx, y: view.y + dy });
}

/** Window moved: `dx` widens it, `dy` raises its centre (a darker picture). */
export function adjustWindow(view: View, dx: number, dy: number): View {
  return {
    ...view,
    width: Math.min(Math.max(view.width + dx, 0.02), 2),
    centre: Math.min(Math.max(view.centre + dy, 0), 1),
  };
}

/** The straight line from stored to shown grey: shown = slope * stored + intercept, in [0, 1]. */
export function windowLine({ centre, width }: View): { slope: number; intercept: number } {
  return { slope: 1 / width, intercept: 0.5 - centre / width };
}

function inside(view: View): View {
  const hold = (value: number): number => Math.min(Math.max(value, 1 - view.zoom), 0) || 0;
  return { ...view, x: hold(view.x), y: hold(view.y) };
}
