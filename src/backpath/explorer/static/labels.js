// Where along its edge a weight's number stands, so that numbers cover neither each other nor another edge's middle.

const CHOICES = [0.3, 0.26, 0.34, 0.4, 0.46, 0.22, 0.16, 0.5, 0.54, 0.58, 0.62, 0.7, 0.76, 0.82];
const [CLEAR, CLEAR_OF_MANY, MANY] = [7, 3, 12]; // pixels from a number's place to other edges; of many edges fewer
const TOO_MANY = 60; // edges of a layer whose numbers are not all shown
const TRIES = 20_000; // places looked at before a layer is taken for too crowded

export const pointAt = ({ x1, y1, x2, y2 }, t) => ({ x: x1 + t * (x2 - x1), y: y1 + t * (y2 - y1) });

/** How far a point is from an edge. */
export function distance({ x1, y1, x2, y2 }, { x, y }) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const t = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}

const apart = (a, b, { w, h, above, below }) => Math.abs(a.x - b.x) >= w || Math.abs(a.y - b.y) >= h + above + below;

/** Whether a number with its lines above and below is clear of a place that is taken. */
const clearOf = ({ x, y }, place, { w, h, above, below }) =>
  Math.abs(x - place.x) >= (w + place.w) / 2 || y + h / 2 + below <= place.top || y - h / 2 - above >= place.bottom;

function fits(edge, point, edges, placed, size) {
  const clear = size.clear ?? (edges.length > MANY ? CLEAR_OF_MANY : CLEAR);
  return (
    placed.every((other) => apart(point, other, size)) &&
    size.taken.every((place) => clearOf(point, place, size)) &&
    edges.every((other) => other === edge || distance(other, point) >= clear)
  );
}

/** The same t for all edges, or null where that does not fit. */
function sameForAll(edges, size, choices) {
  const t = choices.find((choice) => {
    const points = edges.map((edge) => pointAt(edge, choice));
    return edges.every((edge, k) => fits(edge, points[k], edges, points.slice(0, k), size));
  });
  return t === undefined ? null : edges.map(() => t);
}

/** A t for each edge, found by trying and taking back; null where there is none. */
function eachItsOwn(edges, size, choices, places = [], left = { tries: TRIES }) {
  const edge = edges[places.length];
  if (!edge) return places;
  const points = places.map((t, k) => pointAt(edges[k], t));
  for (const t of choices) {
    left.tries -= 1;
    if (left.tries < 0) return null;
    const found = fits(edge, pointAt(edge, t), edges, points, size) && eachItsOwn(edges, size, choices, [...places, t], left);
    if (found) return found;
  }
  return null;
}

const UPRIGHT = Array.from({ length: 12 }, (_, k) => 0.12 + 0.04 * k); // the names of the neurons below need the rest

/** Choices at which a number covers neither neuron of its edge. */
function clearOfNeurons({ x1, x2 }, size, upright) {
  if (upright) return UPRIGHT;
  const rim = (size.w / 2 + 1) / Math.abs(x2 - x1);
  return CHOICES.filter((t) => t >= rim && t <= 1 - rim);
}

function clearance(edge, t, edges) {
  const point = pointAt(edge, t);
  let least = Infinity;
  for (const other of edges) if (other !== edge) least = Math.min(least, distance(other, point));
  return least;
}

const FINELY = Array.from({ length: 31 }, (_, k) => 0.2 + 0.02 * k);

/** Where an edge is farthest from the others. */
function freest(edge, edges) {
  const clear = FINELY.map((t) => clearance(edge, t, edges));
  return FINELY[clear.indexOf(Math.max(...clear))];
}

/** Sets t, labelled and reach of the edges of one layer; size: w and h of a number, the heights of what stands above and
 * below it, and the places that are taken. t is where an edge's number stands and where it is taken hold
 * of, reach how many pixels to its sides: no edge's place is covered by another one. Where there is no room for every
 * number, a number shows when its edge is looked at. */
export function placeLabels(edges, size, upright) {
  const choices = clearOfNeurons(edges[0], size, upright);
  const few = edges.length <= TOO_MANY && choices.length > 0;
  const inColumn = few ? sameForAll(edges, size, choices) : null; // numbers all over are not read, only a few are
  const places = inColumn ?? (edges.length <= MANY && few ? eachItsOwn(edges, size, choices) : null);
  edges.forEach((edge, k) => Object.assign(edge, { t: places?.[k] ?? freest(edge, edges), labelled: Boolean(places) }));
  const clear = Math.min(...edges.map((edge) => clearance(edge, edge.t, edges)));
  for (const edge of edges) edge.reach = Math.max(0.5, Math.min(8, 0.9 * clear));
}
