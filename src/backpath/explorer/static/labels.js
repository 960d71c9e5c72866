// Where along its edge a weight's number stands, so that numbers cover neither each other nor another edge's middle.

const CHOICES = [0.3, 0.26, 0.34, 0.4, 0.46, 0.22, 0.54, 0.62, 0.7, 0.76, 0.82, 0.5];
const CLEAR = 7; // pixels from the number's place to other edges

export const pointAt = ({ x1, y1, x2, y2 }, t) => ({ x: x1 + t * (x2 - x1), y: y1 + t * (y2 - y1) });

/** How far a point is from an edge. */
export function distance({ x1, y1, x2, y2 }, { x, y }) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const t = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}

const apart = (a, b, size) => Math.abs(a.x - b.x) >= size.w || Math.abs(a.y - b.y) >= size.h;

function fits(edge, point, edges, placed, size) {
  return (
    placed.every((other) => apart(point, other, size)) &&
    edges.every((other) => other === edge || distance(other, point) >= CLEAR)
  );
}

/** Sets t and labelled of the edges of one layer: one t for all if that works, else each its own;
 * where there is no room for all numbers they show when an edge is looked at. */
export function placeLabels(edges, size, upright) {
  const narrow = !upright && Math.abs(edges[0].x2 - edges[0].x1) < 1.5 * size.w;
  if (edges.length > 60 || narrow) {
    for (const edge of edges) Object.assign(edge, { t: 0.5, labelled: false });
    return;
  }
  for (const t of CHOICES) {
    const points = edges.map((edge) => pointAt(edge, t));
    if (edges.every((edge, k) => fits(edge, points[k], edges, points.slice(0, k), size))) {
      for (const edge of edges) Object.assign(edge, { t, labelled: true });
      return;
    }
  }
  const placed = [];
  for (const edge of edges) {
    const t = CHOICES.find((choice) => fits(edge, pointAt(edge, choice), edges, placed, size));
    const free = t ?? CHOICES.find((choice) => fits(edge, pointAt(edge, choice), edges, [], size));
    edge.t = free ?? 0.5;
    if (t !== undefined) placed.push(pointAt(edge, t));
  }
  for (const edge of edges) edge.labelled = placed.length === edges.length;
}
