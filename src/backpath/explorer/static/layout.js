// The places of neurons and edges: layers from left to right, on a phone from top to bottom.

const FULL = { w: 108, h: 50 }; // shows u and σ(u)
const SMALL = { w: 48, h: 26 }; // shows one number
const BIAS = { full: { w: 34, h: 34 }, small: { w: 44, h: 26 } }; // the edges of a much narrower one would cover others
const COST = { w: 108, h: 50 };
const INPUT = { w: 64, h: 50 };
const PHONE = 560; // on narrower screens, a small network is upright
const NATURAL = 660; // wider than this, everything grows, so that a class can read it
const LARGEST = 2.4; // times
const ROOM = { full: 126, tight: 104, small: 30 }; // heights of a neuron's place, with what is written around it
const [GAP, WIDE_GAP] = [76, 118]; // the least width between neurons that show u and σ(u), and one with room for many weights
const CROWDED = 9; // weights between two layers
const RIM = 6;
const [TOP, ROW, BOTTOM] = [44, 90, 28]; // the least heights in an upright network
const NEARER = 0.5; // the gap between the outputs and the cost, relative to other gaps
const LEAST = 0.66; // the smallest scale at which letters are legible
const [BESIDE, LETTER] = [118, 7.6]; // pixels for a name beside a neuron, and per letter
const MOST_LETTERS = 19;
const WITH_NAMES = 500; // the least width for names beside many neurons

export const biasKey = (layer) => `1_${layer}`;

/** The layers with their bias neurons, if any, and the cost at the end. */
function columnsOf(layers, biases) {
  const columns = layers.map((names, k) => (biases && k < layers.length - 1 ? [...names, biasKey(k)] : names));
  return [...columns, ["C"]];
}

/** The free width beside a column's boxes, and the width of each box. */
function spareOf(columns, width, full) {
  const wide = columns.slice(0, -1).map((_, layer) => (full ? (layer ? FULL : INPUT) : SMALL).w).concat(COST.w);
  return { wide, spare: width - 2 * RIM - wide.reduce((sum, w) => sum + w) };
}

/** {width, height, scale, upright, full, nodes}; height 0: as high as needed. nodes: key → {key, layer, x, y, w, h},
 * named: whether its name is above it, letters: the number that fit there, beside: the side of the name otherwise. */
export function layOut(layers, available, height, biases, labels) {
  const columns = columnsOf(layers, biases);
  const most = Math.max(...columns.map((column) => column.length));
  const down = columns.length - (columns.at(-2).length < 3 ? 2 : 1);
  const isUpright = available < PHONE && most <= 3 && (!height || height >= TOP + BOTTOM + ROW * down);
  if (isUpright) return upright(columns, Math.max(available, 290), height);
  const least = Math.max(Math.min(columns.length * 80, 700), Object.keys(labels).length && most > 6 ? WITH_NAMES : 0);
  const gaps = columns.length - 2 + NEARER;
  const crowded = layers.some((names, k) => k > 0 && names.length * columns[k - 1].length > CROWDED);
  const whole = (crowded ? WIDE_GAP : GAP) * gaps - spareOf(columns, 0, true).spare; // the width with u and σ(u) in the neurons
  const scale = scaleFor(most, available, height, least, whole);
  const width = Math.max(available / scale, least);
  const roomy = !height || height / scale / most >= ROOM.tight;
  const full = roomy && most <= 6 && spareOf(columns, width, true).spare / gaps >= GAP;
  const wished = Math.max(full ? ROOM.full : ROOM.small, Math.min(126, 500 / most));
  const room = height ? Math.max(ROOM.small, Math.min(height / scale / most, 230)) : wished;
  const named = columns.map((column) => full || (room * most) / column.length >= 60);
  const sides = new Map([[0, "left"], [columns.length - 2, "right"]]);
  const beside = columns.map((column, layer) => !named[layer] && column.some((key) => labels[key]) && sides.get(layer));
  const { wide, spare } = spareOf(columns, width, full);
  const aside = beside.some(Boolean) ? Math.min(BESIDE, spare / 4) : 0;
  const gap = (spare - aside * beside.filter(Boolean).length) / gaps;
  const nodes = new Map();
  let left = RIM + (beside[0] ? aside : 0);
  columns.forEach((column, layer) => {
    const [x, own] = [left + wide[layer] / 2, (room * most) / column.length];
    const after = gap * (layer === columns.length - 2 ? NEARER : 1);
    const beyond = beside[layer] === "right" ? aside : 0;
    const letters = Math.min(MOST_LETTERS, Math.floor((beside[layer] ? aside - 6 : wide[layer] + after - 6) / LETTER));
    left += wide[layer] + after + beyond;
    const shared = { layer, x, named: named[layer], beside: beside[layer], letters, beyond };
    column.forEach((key, k) => nodes.set(key, { key, ...shared, y: own * (k + 0.5), ...sizeOf(key, full, layer) }));
  });
  return { width, height: room * most, scale, upright: false, full, tight: false, nodes };
}

/** Larger on a wide screen if the height allows it; smaller if many neurons must fit. */
function scaleFor(most, available, height, least, whole) {
  const wide = Math.max(1, Math.min(LARGEST, available / NATURAL));
  if (!height) return wide;
  const roomy = height / (most * ROOM.tight);
  const full = Math.min(wide, roomy, available / whole);
  if (most <= 6 && full >= 0.85) return full;
  if (most <= 6 && roomy >= 0.85) return Math.min(wide, roomy);
  return Math.max(LEAST, Math.min(wide, height / (most * ROOM.small), available / least));
}

function sizeOf(key, full, layer) {
  if (key.startsWith("1_")) return full ? BIAS.full : BIAS.small;
  if (key === "C") return COST;
  if (!full) return SMALL;
  return layer ? FULL : INPUT;
}

/** For a phone: each layer is a row, and the cost is beside the outputs if there is room. */
function upright(columns, width, height) {
  const rows = columns.slice(0, -1);
  const beside = rows.at(-1).length < 3;
  if (beside) rows.push([...rows.pop(), "C"]);
  else rows.push(["C"]);
  const box = { w: 96, h: 44 };
  const gap = Math.max(ROW, Math.min(170, ((height || 600) - TOP - BOTTOM) / (rows.length - 1)));
  const nodes = new Map();
  const size = (key) => (key.startsWith("1_") ? BIAS.full : key === "C" ? { ...box, w: 102 } : box);
  rows.forEach((row, k) => {
    const own = width / row.length;
    row.forEach((key, place) => {
      const layer = key === "C" ? columns.length - 1 : k;
      nodes.set(key, { key, layer, named: true, letters: Math.floor((own - 6) / LETTER), x: own * (place + 0.5), y: TOP + gap * k, ...size(key) });
    });
  });
  return { width, height: TOP + gap * (rows.length - 1) + BOTTOM, scale: 1, upright: true, full: true, tight: true, nodes };
}

/** The ends of an edge, on the borders of its neurons. */
export function edgeEnds(from, to, isUpright) {
  if (isUpright && from.y === to.y) return { x1: from.x + from.w / 2, y1: from.y, x2: to.x - to.w / 2, y2: to.y };
  if (isUpright) return { x1: from.x, y1: from.y + from.h / 2, x2: to.x, y2: to.y - to.h / 2 };
  return { x1: from.x + from.w / 2 + (to.key === "C" ? from.beyond : 0), y1: from.y, x2: to.x - to.w / 2, y2: to.y };
}
