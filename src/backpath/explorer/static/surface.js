// The network's answers over the plane of two inputs, or along one input, with the points on top.
import { byId, canvasContext, colour, fillSelect, html } from "./dom.js";
import { emit, on, page, quietly } from "./page.js";

const canvas = byId("surface");
const RESOLUTION = 48;
const [ROOMY, SMALL] = [36, 20]; // pixels around the plane for its axes; a small plane shows only their names
const image = document.createElement("canvas");
const SHADES = 256;
let palette = null; // with one output: from low to high targets
let classes = []; // with several outputs: the winner's colours, from unsure to sure
let axes = null; // the names of the plotted inputs; null: the first ones
/** The plotted range, and the conversion between data and pixels. */
export const plane = { extent: [0, 1, 0, 1], flat: false, width: 1, height: 1, margin: ROOMY, answer: null };

/** The columns of the data on the horizontal and vertical axes. */
export const axisPlaces = () => {
  const names = axes ?? ["X1", "X2"];
  return names.map((name) => Number(name.slice(1)) - 1);
};

const room = (size) => size - 2 * plane.margin;
export const toX = (x) => plane.margin + ((x - plane.extent[0]) / (plane.extent[1] - plane.extent[0])) * room(plane.width);
export const toY = (y) => plane.height - plane.margin - ((y - plane.extent[2]) / (plane.extent[3] - plane.extent[2])) * room(plane.height);
export const fromX = (px) => plane.extent[0] + ((px - plane.margin) / room(plane.width)) * (plane.extent[1] - plane.extent[0]);
export const fromY = (py) => plane.extent[2] + ((plane.height - plane.margin - py) / room(plane.height)) * (plane.extent[3] - plane.extent[2]);

const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));

/** Shades from one colour to another, as pixels. */
function shades(from, to, count) {
  return Array.from({ length: count }, (_, k) => {
    const [r, g, b] = from.map((start, c) => Math.round(start + (k / (count - 1)) * (to[c] - start)));
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

function makePalettes() {
  const [low, middle, high] = ["low", "middle", "high"].map((name) => rgb(colour(name)));
  palette = Uint32Array.from([...shades(low, middle, SHADES / 2), ...shades(middle, high, SHADES / 2)]);
  classes = CLASSES.map((name) => Uint32Array.from(shades(middle, rgb(colour(name)), SHADES)));
}

/** Bytes as shades from low to high, for a neuron's map. */
export const shadeBytes = (text, colours) => bytesOf(text).forEach((byte, k) => (colours[k] = palette[byte]));

const CLASSES = ["low", "high", ...[3, 4, 5, 6, 7, 8, 9, 10].map((k) => `class-${k}`)];
export const classVariable = (k) => `${CLASSES[k % CLASSES.length]}-point`;
export const classColour = (k) => colour(classVariable(k));

const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** The position of a value between the smallest target (0) and the largest (1). */
function targetScale() {
  const targets = page.view.data.y.map(([first]) => first);
  const [least, most] = targets.length ? [Math.min(...targets), Math.max(...targets)] : [0, 1];
  const span = most - least || 1;
  return (value) => Math.max(0, Math.min(SHADES - 1, Math.round(((value - least) / span) * (SHADES - 1))));
}

function paint(answer) {
  const { resolution: n } = answer;
  const values = new Float32Array(bytesOf(answer.values).buffer);
  const winners = answer.classes && bytesOf(answer.classes);
  if (image.width !== n) [image.width, image.height] = [n, n];
  const context = image.getContext("2d");
  const pixels = context.createImageData(n, n);
  const colours = new Uint32Array(pixels.data.buffer);
  const shade = winners ? (value) => Math.round(Math.max(0, Math.min(1, value)) * (SHADES - 1)) : targetScale();
  values.forEach((value, k) => (colours[k] = (winners ? classes[winners[k] % classes.length] : palette)[shade(value)]));
  context.putImageData(pixels, 0, 0);
}

function take(answer) {
  plane.answer = answer;
  plane.flat = Boolean(answer.curve);
  if (!plane.flat) {
    plane.extent = answer.extent;
    paint(answer);
    return;
  }
  const heights = [...answer.curve.y, ...page.view.data.y.map(([first]) => first)].filter(Number.isFinite);
  const [least, most] = [Math.min(...heights, 0), Math.max(...heights, 0.5)];
  const spare = 0.08 * (most - least);
  // while training, the frame grows with the curve but never shrinks, so that the picture does not jump
  const old = page.running ? plane.extent : null;
  const [low, high] = [least - spare, most + spare];
  plane.extent = [...answer.extent.slice(0, 2), old ? Math.min(old[2], low) : low, old ? Math.max(old[3], high) : high];
}

/** The label at an end of an axis, in the units of the table if there is one. */
function short(value, name) {
  const [mean, scale] = page.view.data.scales[name] ?? [0, 1];
  return String(Number((value * scale + mean).toPrecision(scale === 1 ? 2 : 3)));
}

const labelled = (name) => (page.view.labels[name] ? `${name}, ${page.view.labels[name]}` : name);

function drawFrame(context, names) {
  const { width, height, extent } = plane;
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.strokeRect(plane.margin, plane.margin, room(width), room(height));
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("soft");
  drawNames(context, names);
  if (plane.margin === SMALL) return;
  context.textBaseline = "top";
  context.textAlign = "left";
  context.fillText(short(extent[0], names[0]), plane.margin, height - plane.margin + 6);
  context.textAlign = "right";
  context.fillText(short(extent[1], names[0]), width - plane.margin, height - plane.margin + 6);
  context.textAlign = "right";
  context.fillText(short(extent[3], names[1]), plane.margin - 6, plane.margin);
  context.textBaseline = "bottom";
  context.fillText(short(extent[2], names[1]), plane.margin - 6, height - plane.margin);
}

/** The names of the axes; a long name fits only along its axis. */
function drawNames(context, names) {
  const { width, height, margin } = plane;
  const spare = margin === SMALL ? 0 : 60;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillText(labelled(names[0]), width / 2, height - margin + 6, room(width) - spare);
  context.save();
  context.translate(margin - 12, height / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  context.fillText(labelled(names[1]), 0, 0, room(height) - spare);
  context.restore();
}

function drawCurve(context, { x, y }) {
  context.beginPath();
  x.forEach((value, k) => context.lineTo(toX(value), toY(y[k])));
  context.lineWidth = 3;
  context.strokeStyle = colour("accent");
  context.stroke();
}

export function draw() {
  if (!page.view) return;
  const { context, width, height } = canvasContext(canvas);
  Object.assign(plane, { width, height, margin: Math.min(width, height) < 190 ? SMALL : ROOMY });
  const { answer } = plane;
  if (!answer || !width) return;
  context.save();
  context.beginPath();
  context.rect(plane.margin, plane.margin, room(width), room(height));
  context.clip();
  if (plane.flat) drawCurve(context, answer.curve);
  else context.drawImage(image, plane.margin, plane.margin, room(width), room(height));
  context.restore();
  drawFrame(context, plane.flat ? [answer.axes[0], "A1"] : answer.axes);
  emit("surface drawn", context);
}

let asking = false;
async function ask() {
  if (asking || page.running) return;
  asking = true;
  const answer = await quietly("surface", { resolution: RESOLUTION, ...(axes && { axes }) });
  asking = false;
  if (answer) take(answer);
  draw();
}

/** The first two inputs that are numbers; those of a category or a missing cell have only two values. */
function firstTwo(inputs, { X }) {
  const numbers = inputs.filter((_, k) => new Set(X.map((row) => row[k])).size > 2);
  return (numbers.length > 1 ? numbers : inputs).slice(0, 2);
}

let choosersFor = "";
/** The choice of the plane's inputs, if there are more than two. */
function showChoosers({ state, data, labels = {} }) {
  const inputs = Array.from({ length: state.sizes[0] }, (_, k) => `X${k + 1}`);
  const now = JSON.stringify([inputs, labels, data.typed]);
  if (now === choosersFor) return;
  choosersFor = now;
  axes = inputs.length > 2 ? firstTwo(inputs, data) : null;
  if (!axes) {
    byId("axes").replaceChildren();
    return;
  }
  const selects = ["Across", "Up"].map((label, k) => {
    const select = html("select", { "aria-label": label });
    fillSelect(select, inputs.map((name) => [name, labels[name] ?? name]), axes[k]);
    select.addEventListener("change", () => {
      axes[k] = select.value;
      if (axes[0] === axes[1]) axes[1 - k] = inputs.find((name) => name !== select.value);
      selects.forEach((other, place) => (other.value = axes[place]));
      ask();
    });
    return select;
  });
  byId("axes").replaceChildren(...selects);
}

export function startSurface() {
  makePalettes();
  on("view", (view) => {
    showChoosers(view);
    ask();
  });
  on("frame", ({ surface }) => {
    if (!surface) return;
    take(surface);
    draw();
  });
  on("points moved", draw);
  on("theme", () => {
    makePalettes();
    if (plane.answer && !plane.flat) paint(plane.answer);
    draw();
  });
  new ResizeObserver(draw).observe(canvas);
}
