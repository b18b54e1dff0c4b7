/** Shapes that tell seeds of one method apart; the colour stays the method's. */
const SHAPES = [
  (r: number) => `M${-r},0A${r},${r} 0 1 0 ${r},0A${r},${r} 0 1 0 ${-r},0Z`,
  (r: number) => `M${-r},${-r}H${r}V${r}H${-r}Z`,
  (r: number) => `M0,${-1.2 * r}L${1.2 * r},${r}H${-1.2 * r}Z`,
  (r: number) => `M0,${-1.4 * r}L${1.4 * r},0L0,${1.4 * r}L${-1.4 * r},0Z`,
];

/** A filled mark of the rank's shape, `size` its half width in pixels. */
export function Marker({ x, y, rank, colour, size = 2.5 }: { x: number; y: number; rank: number; colour: string; size?: number }) {
  return <path transform={`translate(${x} ${y})`} d={SHAPES[rank % SHAPES.length]!(size)} style={{ fill: colour }} />;
}
