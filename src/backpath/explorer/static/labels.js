// Places each weight's number along its edge, so that numbers cover neither each other nor other edges.

const CHOICES = [0.3, 0.26, 0.28, 0.34, 0.4, 0.46, 0.22, 0.16, 0.5, 0.54, 0.58, 0.62, 0.7, 0.76, 0.82];
const [CLEAR, CLEAR_OF_MANY, MANY] = [7, 3, 12]; // pixels from a number to other edges; fewer if there are many edges
const TOO_MANY = 60; // edges; a layer with more does not show all numbers
const TRIES = 20_000; // places to try before a layer counts as too crowded

export const pointAt = ({ x1, y1, x2, y2 }, t) => ({ x: x1 + t * (x2 - x1), y: y1 + t * (y2 - y1) });

/** The distance of a point from an edge. */
export function distance({ x1, y1, x2, y2 }, { x, y }) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const t = Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
}

const apart = (a, b, { w, h, above, below }) => Math.abs(a.x - b.x) >= w || Math.abs(a.y - b.y) >= h + above + below;

/** Whether a number with its lines above and below does not overlap an occupied place. */
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

/** The same t for all edges, or null if that does not fit. */
function sameForAll(edges, size, choices) {
  const t = choices.find((choice) => {
    const points = edges.map((edge) => pointAt(edge, choice));
    return edges.every((edge, k) => fits(edge, points[k], edges, points.slice(0, k), size));
  });
  return t === undefined ? null : edges.map(() => t);
}

/** A t for each edge, found by backtracking; null if there is none. */
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

const UPRIGHT = Array.from({ length: 10 }, (_, k) => 0.12 + 0.04 * k); // the rest is for the names of the neurons below

/** Choices for which a number covers neither neuron of its edge. */
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

/** The place where an edge is farthest from the others. */
function freest(edge, edges) {
  const clear = FINELY.map((t) => clearance(edge, t, edges));
  return FINELY[clear.indexOf(Math.max(...clear))];
}

/** Sets t, labelled and reach of the edges of one layer. size: w and h of a number, the heights of the text above and
* below it, and the occupied places. t is the place of an edge's number and of its grip, which extends reach pixels to both
* sides. Grips do not overlap. If there is no room for all numbers, a number shows when its edge is selected. */
function placeLabels(edges, size, upright) {
  const choices = clearOfNeurons(edges[0], size, upright);
  const few = edges.length <= TOO_MANY && choices.length > 0;
  const inColumn = few ? sameForAll(edges, size, choices) : null; // scattered numbers are readable only if there are few
  const places = inColumn ?? (edges.length <= MANY && few ? eachItsOwn(edges, size, choices) : null);
  edges.forEach((edge, k) => Object.assign(edge, { t: places?.[k] ?? freest(edge, edges), labelled: Boolean(places) }));
  const clear = Math.min(...edges.map((edge) => clearance(edge, edge.t, edges)));
  for (const edge of edges) edge.reach = Math.max(0.5, Math.min(8, 0.9 * clear));
}

const ROUGH = { w: 37, h: 13 }; // a number with two decimals
const FREE = 6; // pixels that a number leaves free at its sides, and a neuron at its round corners

/** The place of a neuron, with the text below it. */
function placeOf({ key, x, y, w, h, layer }, withLines, free) {
  const lines = withLines && layer > 0 && !key.startsWith("1_");
  return { x, w: w - 3 * free, top: y - h / 2 + free, bottom: y + h / 2 + (lines ? 34 : -free) };
}

/** A layer's numbers with names and gradients if there is room; otherwise without gradients, alone, or with two decimals. */
export function labelLayer(edges, size, withLines, isUpright, withNames) {
  const [second, name, rough] = [withLines ? 14 : 0, withNames ? 15 : 0, { ...size, ...ROUGH }];
  const named = name ? [[second, name, size], [0, name, size], [0, name, rough]] : [];
  const choices = [...named, [second, 0, size], [0, 0, size], [0, 0, rough]];
  const sources = [...new Set(edges.map(({ from }) => from))];
  for (const [below, above, each] of choices) {
    const taken = sources.map((from) => placeOf(from, withLines, each === rough ? 0 : FREE));
    placeLabels(edges, { ...each, above, below, taken }, isUpright);
    for (const edge of edges) Object.assign(edge, { short: !below, named: Boolean(above), rough: each === rough });
    if (edges[0].labelled) return;
  }
}
