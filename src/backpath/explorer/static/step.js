// One step by hand: the buttons, and the numbers in the picture as they are computed.
import { alike, brief, byId, compact, html, setAttribute, setNumber, setText, shown } from "./dom.js";
import { clean } from "./markup.js";
import { act, on, page, quietly } from "./page.js";
import { item, picture } from "./picture.js";

const SLOW = "0.25"; // epochs a second

/** Whether frames are animated. */
export const flows = () => byId("speed").value === SLOW && picture.root !== null;

const AGAIN = 800; // milliseconds between two formulas while training
const MOST_WEIGHTS = 60; // in a network whose formulas are updated while training
const PASSES = ["Forward", "Backward", "Update"];
let before = new Map(); // weights' texts before the last update
let stepping = null; // the same, while a step is requested

/** The number of letters that fit in a neuron. */
const most = () => (picture.tight ? 8 : 10);

/** The numbers of a neuron; those of inputs are the sample's. */
function valuesOf({ key, layer }, step, { sample }) {
  if (layer > 0) return step.values[key];
  const value = sample.x[Number(key.slice(1)) - 1];
  return { value, text: String(Number(value.toPrecision(5))) };
}

function showNode(node, step, view) {
  if (!node.lines || node.key === "C") return;
  const { key, lines } = node;
  const a = valuesOf(node, step, view);
  const [u, delta] = [step.values[`u_${key}`], step.values[`delta_${key}`]];
  if (lines.u) setNumber(lines.u, u, most());
  if (picture.full) setNumber(lines.a, a, most());
  else setText(lines.a, a ? brief(a.value) : node.named ? "–" : key);
  describe(node, u, a, delta);
  if (!lines.delta) return;
  setText(lines.delta, delta ? `∂C/∂u ${compact(delta)}` : "");
  const [wasU, wasA] = [step.previous?.[`u_${key}`], step.previous?.[key]];
  const changed = (a && wasA && wasA.text !== a.text) || (u && wasU && wasU.text !== u.text);
  const slope = step.values[`slope_${key}`];
  setText(lines.was, slope ? `σ′(u) ${compact(slope)}` : changed ? `was ${compact(wasA ?? wasU)}` : "");
}

function describe({ key, button, layer }, u, a, delta) {
  const kind = layer === 0 ? "input" : layer === picture.columns.length - 2 ? "output neuron" : "hidden neuron";
  const parts = [`${kind} ${key}`, u && `u ${u.text}`, a && `${layer ? "σ(u) " : ""}${a.text}`, delta && `∂C/∂u ${delta.text}`];
  setAttribute(button, "aria-label", parts.filter(Boolean).join(", "));
}

function showCost(step, view) {
  const node = picture.nodes.get("C");
  const { u, a, was } = node.lines;
  const y = view.sample.y;
  setText(u, view.sample.batch ? "batch" : y.length === 1 ? brief4(y[0]) : `${y.length} values`);
  setNumber(a, step.values.C);
  const previous = step.previous?.C;
  if (was) setText(was, previous && step.values.C && previous.text !== step.values.C.text ? `was ${compact(previous)}` : "");
  setAttribute(node.button, "aria-label", `cost, ${step.values.C?.text ?? "not computed yet"}`);
}


const brief4 = (y) => (Number.isInteger(y) ? String(y) : shown(y));

function showGradients(step) {
  for (const edge of picture.edges.values()) {
    const [gradient, next] = [step.values[`gradient ${edge.name}`], step.values[`new ${edge.name}`]];
    const was = before.get(edge.name);
    const to = next && alike([next])[0];
    const second = next && to !== edge.shown ? `→ ${to}` : next && was ? `was ${was}` : gradient ? `∂ ${compact(gradient)}` : "";
    setText(edge.second, second);
  }
}

/** Marks the progress of the computation. */
function showPlace(step) {
  for (const old of picture.root.querySelectorAll(".current")) old.classList.remove("current");
  if (step.at) item(step.at)?.element.classList.add("current");
}

const SAID = {
  start: "Nothing computed yet: Forward computes the network's output for the sample.",
  forward: "Forward: u is the sum of the inputs times their weights; σ(u) goes to the next layer.",
  backward: "Backward: the chain rule, from the cost back to each weight.",
  update: "Update: each weight moves against its gradient, W − η × ∂C/∂W.",
};
const UPDATED = "The weights are updated. The neurons and gradients still belong to the old weights; Forward recomputes them.";

/** A table of a layer's formulas: one row per formula, one cell per side. */
function formulaTable({ title, rows }) {
  const cells = (sides) => sides.map((side, k) => {
    const inside = html("div", { class: side.includes("<mfrac") ? false : "flat" }, k ? "= " : "");
    inside.append(clean(side));
    return html("td", {}, inside);
  });
  const body = rows.map((sides, k) => html("tr", {}, k ? null : html("th", { scope: "rowgroup", rowspan: rows.length }, title), ...cells(sides)));
  return html("table", { class: "formula" }, html("tbody", {}, ...body));
}

const TRAINING = "Training: the numbers in the picture are for the sample above, with the current weights.";

function showNow({ phase, formulas }, running) {
  const now = byId("now");
  const note = phase === "update" ? [html("p", {}, UPDATED)] : [];
  const said = running ? TRAINING : (SAID[phase] ?? "");
  now.replaceChildren(...(formulas.length ? [...note, ...formulas.map(formulaTable)] : [html("p", {}, said)]));
}

/** Keeps room for the formulas of the largest layer, so that nothing moves from pass to pass. */
function keepRoom({ layers, state }) {
  const rows = layers.slice(1).map((names, k) => names.length * (layers[k].length + Number(state.biases)));
  byId("now").style.setProperty("--rows", String(Math.max(...rows)));
  byId("now").style.setProperty("--all-rows", String(rows.reduce((sum, count) => sum + count)));
}

let next = 0;
/** While training: the gradients' formulas with the current numbers, no faster than they can be read. */
async function followFormulas() {
  if (performance.now() < next || page.view.weights.length > MOST_WEIGHTS) return;
  next = performance.now() + AGAIN;
  const found = await quietly("formulas");
  if (found && page.running) showNow(found, true);
}

function showStep(step, view) {
  if (!picture.root) return;
  picture.root.classList.toggle("before-update", step.phase === "update");
  for (const node of picture.nodes.values()) showNode(node, step, view);
  showCost(step, view);
  showGradients(step);
  showPlace(step);
}

/** A current number, as the picture shows it. */
const now = (value) => ({ value, text: shown(value) });

/** While training: the sample's numbers with the current weights, or only some of them if they appear one by one. */
export function showLive(live, { forward = Infinity, cost = true, backward = 0 } = {}) {
  if (!live || !picture.root) return;
  let k = 0;
  for (const [layer, column] of picture.columns.slice(0, -1).entries()) {
    if (layer === 0) continue;
    for (const node of column) {
      if (node.key.startsWith("1_")) continue;
      if (layer <= forward) {
        if (node.lines.u) setNumber(node.lines.u, now(live.u[k]), most());
        if (picture.full) setNumber(node.lines.a, now(live.a[k]), most());
        else setText(node.lines.a, brief(live.a[k]));
      }
      if (node.lines.delta) setText(node.lines.delta, layer >= backward ? `∂C/∂u ${compact(now(live.delta[k]))}` : "");
      if (node.lines.was) setText(node.lines.was, "");
      k += 1;
    }
  }
  if (cost) setNumber(picture.nodes.get("C").lines.a, now(live.C));
  let place = 0;
  for (const edge of picture.edges.values()) {
    const gradient = live.gradients[place];
    setText(edge.second, gradient === undefined || edge.to.layer < backward ? "" : `∂ ${compact(now(gradient))}`);
    place += 1;
  }
}

/** When a factor is selected, its neuron shows σ′(u) with its number. */
function showSlope({ names, text, plain }) {
  for (const node of picture.nodes.values()) if (node.lines?.slope) setText(node.lines.slope, "");
  const of = plain?.match(/σ′\(u_(\w+)\)/)?.[1];
  const node = of && names.includes(of) ? picture.nodes.get(of) : null;
  for (const each of picture.nodes.values()) each.lines?.was?.setAttribute("visibility", each === node ? "hidden" : "visible");
  if (node?.lines?.slope) setText(node.lines.slope, `σ′(u) = ${text}`);
}

async function press(pass) {
  stepping = new Map([...picture.edges.values()].map(({ name, shown: text }) => [name, text]));
  await act("step", { pass, unit: byId("unit").value });
  stepping = null;
}

export function startSteps() {
  for (const pass of PASSES) byId(pass.toLowerCase()).addEventListener("click", () => press(pass));
  byId("undo").addEventListener("click", () => act("undo"));
  on("view", (view) => {
    before = stepping ?? new Map();
    if (!view.running) showNow(view.step, false);
    keepRoom(view);
    byId("now").scrollTop = 0;
  });
  on("drawn", (view) => showStep(view.step, view));
  on("frame", ({ live }) => {
    if (!flows()) showLive(live); // not in every frame, because reading numbers is slow
    followFormulas();
  });
  on("lit", showSlope);
}
