// The cost by epoch, and the slider back in time.
import { byId, canvasContext, colour, setText, shown } from "./dom.js";
import { pins, startCompare } from "./compare.js";
import { act, on, page } from "./page.js";

let costs = []; // [epoch, cost] …
let heldOut = []; // the same for the held-out rows
const canvas = byId("cost-curve");
const MARGIN = { left: 46, right: 10, top: 8, bottom: 34 };

/** About count round numbers from least to most. */
function ticks(least, most, count) {
  const raw = (most - least) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((value) => value >= raw);
  const found = [];
  for (let k = Math.ceil(least / step); k * step <= most + step / 1e6; k += 1) found.push(k * step);
  return found;
}

function decades(least, most) {
  const found = [];
  for (let k = Math.floor(Math.log10(least)); 10 ** k <= most * 1.001; k += 1) if (10 ** k >= least * 0.999) found.push(10 ** k);
  return found.length > 1 ? found : [least, most];
}

const label = (value) => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(0) : String(Number(value.toPrecision(3))));

function scales(width, height, log) {
  const all = [costs, heldOut, ...pins.map((one) => one.costs)].flat();
  const values = all.map(([, cost]) => cost).filter((cost) => !log || cost > 0);
  let [least, most] = values.reduce(([low, high], cost) => [Math.min(low, cost), Math.max(high, cost)], [Infinity, -Infinity]);
  if (values.length === 0) [least, most] = [0.1, 1];
  if (!log) least = Math.min(0, least);
  if (!(most > least)) [least, most] = log ? [least / 10, least * 10] : [least, least + 1];
  const through = log ? Math.log10 : (value) => value;
  const [low, high, last] = [through(least), through(most), all.reduce((most_, [epoch]) => Math.max(most_, epoch), 1)];
  return {
    x: (epoch) => MARGIN.left + (epoch / last) * (width - MARGIN.left - MARGIN.right),
    y: (cost) => height - MARGIN.bottom - ((through(cost) - low) / (high - low)) * (height - MARGIN.top - MARGIN.bottom),
    rows: log ? decades(least, most) : ticks(least, most, Math.max(1, Math.min(4, Math.floor((height - MARGIN.top - MARGIN.bottom) / 20)))),
    columns: ticks(0, last, Math.max(2, Math.floor(width / 110))),
  };
}

function drawAxes(context, { x, y, rows, columns }, width, height) {
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("soft");
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const row of rows) {
    context.fillText(label(row), MARGIN.left - 8, y(row));
    context.beginPath();
    context.moveTo(MARGIN.left, y(row));
    context.lineTo(width - MARGIN.right, y(row));
    context.stroke();
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  context.fillText("epoch", (MARGIN.left + width - MARGIN.right) / 2, height - 13);
  for (const column of columns.filter(Number.isInteger)) {
    context.textAlign = column === 0 ? "left" : x(column) > width - 40 ? "right" : "center";
    context.fillText(column.toLocaleString("en"), x(column), height - MARGIN.bottom + 5);
  }
}

function drawCurve(context, { x, y }, log, pairs = costs, name = "accent", dash = []) {
  context.beginPath();
  for (const [epoch, cost] of pairs) if (!log || cost > 0) context.lineTo(x(epoch), y(cost));
  context.setLineDash(dash);
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.strokeStyle = colour(name);
  context.stroke();
  context.setLineDash([]);
}

/** A line through the curve at the page's epoch. */
function drawNow(context, { x, y }, log) {
  const { epoch, cost } = page.now;
  if (!Number.isFinite(cost) || (log && cost <= 0)) return;
  context.beginPath();
  context.arc(x(epoch), y(cost), 4.5, 0, 2 * Math.PI);
  context.fillStyle = colour("accent");
  context.fill();
}

function draw() {
  const { context, width, height } = canvasContext(canvas);
  if (!costs.length || !width) return;
  const log = byId("log-scale").checked;
  const scale = scales(width, height, log);
  drawAxes(context, scale, width, height);
  for (const one of pins) drawCurve(context, scale, log, one.costs, "soft", one.dash);
  if (heldOut.length > 1) drawCurve(context, scale, log, heldOut, "negative", [5, 4]);
  drawCurve(context, scale, log);
  if (page.now.epoch <= Math.max(costs.at(-1)[0], 1)) drawNow(context, scale, log);
}

function showNumbers(epoch, cost) {
  page.now = { epoch, cost };
  setText(byId("epoch"), epoch.toLocaleString("en"));
  for (const place of ["cost", "cost-figure"]) setText(byId(place), shown(cost));
}

/** The slider runs over the epochs; the server uses the nearest epoch whose weights it keeps. */
function showScrub(epoch) {
  const slider = byId("scrub");
  const last = String(Math.max(epoch, costs.at(-1)?.[0] ?? 0));
  if (slider.max !== last) slider.max = last;
  slider.disabled = last === "0";
  if (wanted === null) slider.value = String(epoch);
  setText(byId("scrub-text"), `Back in time: epoch ${epoch.toLocaleString("en")}`);
  slider.setAttribute("aria-valuetext", `epoch ${epoch}`);
}

let wanted = null;
let scrubbing = false;
/** One request at a time; after many movements of the slider, the last one counts. */
async function scrub() {
  wanted = Number(byId("scrub").value);
  if (scrubbing) return;
  scrubbing = true;
  for (let asked = null; asked !== wanted; ) {
    asked = wanted;
    await act("scrub", { epoch: asked });
  }
  [scrubbing, wanted] = [false, null];
  showScrub(page.now.epoch);
}

function describe() {
  const [first, last] = [costs[0], costs.at(-1)];
  const text = first ? `The cost by epoch: ${shown(first[1])} at first, ${shown(last[1])} at epoch ${last[0]}` : "The cost by epoch";
  canvas.setAttribute("aria-label", text);
}

export function startCost() {
  page.now = { epoch: 0, cost: NaN };
  on("view", ({ history, cost }) => {
    costs = history.epochs.map((epoch, k) => [epoch, history.cost[k]]);
    if (!costs.length) costs = [[history.epoch, cost]];
    heldOut = history.held_out;
    showNumbers(history.epoch, cost);
    showScrub(history.epoch);
    describe();
    draw();
  });
  on("frame", ({ epoch, cost, costs: whole, new_costs: more, held_out: measured }) => {
    costs = whole ?? costs;
    if (measured && measured[1] !== null) heldOut.push(measured);
    for (const pair of whole ? [] : (more ?? [])) if (pair[0] > (costs.at(-1)?.[0] ?? -1)) costs.push(pair);
    showNumbers(epoch, cost);
    showScrub(epoch);
    draw();
  });
  byId("log-scale").addEventListener("change", draw);
  byId("scrub").addEventListener("input", scrub);
  for (const event of ["theme", "pins"]) on(event, draw);
  startCompare(() => costs);
  new ResizeObserver(draw).observe(canvas);
}
