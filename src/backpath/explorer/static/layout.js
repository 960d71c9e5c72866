// Where neurons and edges stand: layers from left to right, on a phone from top to bottom.

const FULL = { w: 104, h: 50 }; // shows u and σ(u)
const SMALL = { w: 42, h: 32 }; // shows one number
const BIAS = { w: 34, h: 34 };
const COST = { w: 96, h: 50 };
const PHONE = 560; // narrower than this, a small network stands upright
const NATURAL = 760; // wider than this, everything grows, so that a class can read it
const ROOM = { full: 126, tight: 104, small: 38 }; // heights of a neuron's place, with what is written around it
const RIM = 6;

export const biasKey = (layer) => `1_${layer}`;

/** Layers with their bias neurons, if there are any, and the cost at the end. */
function columnsOf(layers, biases) {
  const columns = layers.map((names, k) => (biases && k < layers.length - 1 ? [...names, biasKey(k)] : names));
  return [...columns, ["C"]];
}

/** {width, height, scale, upright, full, nodes: key → {key, layer, named, x, y, w, h}}; height 0 is as high as is needed. */
export function layOut(layers, available, height = 0, biases = true) {
  const columns = columnsOf(layers, biases);
  const most = Math.max(...columns.map((column) => column.length));
  if (available < PHONE && most <= 3 && columns.length <= 5) return upright(columns, Math.max(available, 290));
  const scale = scaleFor(most, available, height);
  const width = Math.max(available / scale, Math.min(columns.length * 80, 700));
  const nearer = width < PHONE ? 0 : 0.25; // the cost stands nearer, where there is room for it
  const gaps = columns.length - 1 - nearer;
  const roomy = !height || height / scale / most >= ROOM.tight;
  const full = roomy && most <= 6 && (width - FULL.w) / gaps - FULL.w >= 84;
  const wished = Math.max(full ? ROOM.full : ROOM.small, Math.min(126, 500 / most));
  const room = height ? Math.max(ROOM.small, Math.min(height / scale / most, 230)) : wished;
  const nodes = new Map();
  const step = (width - (full ? FULL.w : SMALL.w) / 2 - COST.w / 2 - 2 * RIM) / gaps;
  columns.forEach((column, layer) => {
    const x = RIM + (full ? FULL.w : SMALL.w) / 2 + step * (column[0] === "C" ? layer - nearer : layer);
    const own = (room * most) / column.length;
    const named = full || own >= 60;
    column.forEach((key, k) => nodes.set(key, { key, layer, named, x, y: own * (k + 0.5), ...sizeOf(key, full) }));
  });
  return { width, height: room * most, scale, upright: false, full, nodes };
}

/** Larger on a wide screen, smaller where many neurons must fit the height. */
function scaleFor(most, available, height) {
  const wide = Math.max(1, Math.min(1.7, available / NATURAL));
  return height ? Math.max(0.75, Math.min(wide, height / (most * ROOM.small))) : wide;
}

function sizeOf(key, full) {
  if (key.startsWith("1_")) return BIAS;
  if (key === "C") return COST;
  return full ? FULL : SMALL;
}

/** For a phone: each layer is a row. */
function upright(columns, width) {
  const [box, gap, top] = [{ w: 92, h: 50 }, 200, 50];
  const nodes = new Map();
  columns.forEach((column, layer) => {
    const y = top + gap * (column[0] === "C" ? layer - 0.2 : layer);
    const own = width / column.length;
    const size = (key) => (key.startsWith("1_") ? BIAS : box);
    column.forEach((key, k) => nodes.set(key, { key, layer, named: true, x: own * (k + 0.5), y, ...size(key) }));
  });
  const height = top + gap * (columns.length - 1.2) + 62;
  return { width, height, scale: 1, upright: true, full: true, nodes };
}

/** The ends of an edge, on the rims of its neurons. */
export function edgeEnds(from, to, isUpright) {
  if (isUpright) return { x1: from.x, y1: from.y + from.h / 2, x2: to.x, y2: to.y - to.h / 2 };
  return { x1: from.x + from.w / 2, y1: from.y, x2: to.x - to.w / 2, y2: to.y };
}
