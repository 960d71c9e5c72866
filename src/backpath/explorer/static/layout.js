// Where neurons and edges stand: layers from left to right, on a phone from top to bottom.

const FULL = { w: 108, h: 50 }; // shows u and σ(u)
const SMALL = { w: 42, h: 32 }; // shows one number
const BIAS = { w: 34, h: 34 };
const COST = { w: 108, h: 50 };
const INPUT = { w: 64, h: 50 };
const PHONE = 560; // narrower than this, a small network stands upright
const NATURAL = 660; // wider than this, everything grows, so that a class can read it
const LARGEST = 2.4; // times
const ROOM = { full: 126, tight: 104, small: 38 }; // heights of a neuron's place, with what is written around it
const RIM = 6;
const NEARER = 0.5; // of a gap stands between the outputs and the cost

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
  if (available < PHONE && most <= 3 && columns.length <= 5) return upright(columns, Math.max(available, 290), height);
  const scale = scaleFor(most, available, height);
  const width = Math.max(available / scale, Math.min(columns.length * 80, 700));
  const gapOf = (isFull) => {
    const wide = columns.slice(0, -1).map((_, layer) => (isFull ? (layer ? FULL : INPUT) : SMALL).w).concat(COST.w);
    const spare = width - 2 * RIM - wide.reduce((sum, w) => sum + w);
    return { wide, gap: spare / (columns.length - 2 + NEARER) };
  };
  const roomy = !height || height / scale / most >= ROOM.tight;
  const full = roomy && most <= 6 && gapOf(true).gap >= 76;
  const { wide, gap } = gapOf(full);
  const wished = Math.max(full ? ROOM.full : ROOM.small, Math.min(126, 500 / most));
  const room = height ? Math.max(ROOM.small, Math.min(height / scale / most, 230)) : wished;
  const nodes = new Map();
  let left = RIM;
  columns.forEach((column, layer) => {
    const x = left + wide[layer] / 2;
    left += wide[layer] + gap * (layer === columns.length - 2 ? NEARER : 1);
    const own = (room * most) / column.length;
    const named = full || own >= 60;
    column.forEach((key, k) => nodes.set(key, { key, layer, named, x, y: own * (k + 0.5), ...sizeOf(key, full, layer) }));
  });
  return { width, height: room * most, scale, upright: false, full, tight: false, nodes };
}

/** Larger on a wide screen, as far as the height allows; smaller where many neurons must fit it. */
function scaleFor(most, available, height) {
  const wide = Math.max(1, Math.min(LARGEST, available / NATURAL));
  if (!height) return wide;
  const roomy = height / (most * ROOM.tight);
  if (most <= 6 && roomy >= 0.85) return Math.min(wide, roomy);
  return Math.max(0.75, Math.min(wide, height / (most * ROOM.small)));
}

function sizeOf(key, full, layer) {
  if (key.startsWith("1_")) return BIAS;
  if (key === "C") return COST;
  if (!full) return SMALL;
  return layer ? FULL : INPUT;
}

/** For a phone: each layer is a row, the cost stands beside the outputs where there is room. */
function upright(columns, width, height) {
  const rows = columns.slice(0, -1);
  const beside = rows.at(-1).length < 3;
  if (beside) rows.push([...rows.pop(), "C"]);
  else rows.push(["C"]);
  const [box, top, bottom] = [{ w: 96, h: 44 }, 40, 28];
  const gap = Math.max(96, Math.min(170, (height || 600) - top - bottom) / (rows.length - 1));
  const nodes = new Map();
  const size = (key) => (key.startsWith("1_") ? BIAS : key === "C" ? { ...box, w: 102 } : box);
  rows.forEach((row, k) => {
    const own = width / row.length;
    row.forEach((key, place) => {
      const layer = key === "C" ? columns.length - 1 : k;
      nodes.set(key, { key, layer, named: true, x: own * (place + 0.5), y: top + gap * k, ...size(key) });
    });
  });
  return { width, height: top + gap * (rows.length - 1) + bottom, scale: 1, upright: true, full: true, tight: true, nodes };
}

/** The ends of an edge, on the rims of its neurons. */
export function edgeEnds(from, to, isUpright) {
  if (isUpright && from.y === to.y) return { x1: from.x + from.w / 2, y1: from.y, x2: to.x - to.w / 2, y2: to.y };
  if (isUpright) return { x1: from.x, y1: from.y + from.h / 2, x2: to.x, y2: to.y - to.h / 2 };
  return { x1: from.x + from.w / 2, y1: from.y, x2: to.x - to.w / 2, y2: to.y };
}
