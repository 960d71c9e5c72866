// One step by hand: the buttons, and the numbers in the picture as they are computed.
import { byId, setAttribute, setNumber, setText, shown } from "./dom.js";
import { insertFormula } from "./markup.js";
import { act, on } from "./page.js";
import { item, picture } from "./picture.js";

const PASSES = ["Forward", "Backward", "Update"];
let before = new Map(); // weights' texts before the last update
let stepping = null; // the same, while a step is asked for

/** The numbers of a neuron; an input's is the sample's. */
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
  if (lines.u) setNumber(lines.u, u);
  if (picture.full) setNumber(lines.a, a);
  else setText(lines.a, a ? brief(a.value) : node.named ? "–" : key);
  describe(node, u, a, delta);
  if (!lines.delta) return;
  setText(lines.delta, delta ? `∂C/∂u ${delta.text}` : "");
  const [wasU, wasA] = [step.previous?.[`u_${key}`], step.previous?.[key]];
  const changed = (a && wasA && wasA.text !== a.text) || (u && wasU && wasU.text !== u.text);
  setText(lines.was, changed ? `was ${wasU ? `${wasU.text}, ` : ""}${wasA?.text ?? "–"}` : "");
}

/** One number in a small neuron. */
const brief = (value) => (Math.abs(value) < 10 ? value.toFixed(2) : value.toPrecision(2));

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
  setText(was, previous && step.values.C && previous.text !== step.values.C.text ? `was ${previous.text}` : "");
  setAttribute(node.button, "aria-label", `cost, ${step.values.C?.text ?? "not computed yet"}`);
}

const brief4 = (y) => (Number.isInteger(y) ? String(y) : shown(y));

function showGradients(step) {
  for (const edge of picture.edges.values()) {
    const [gradient, next] = [step.values[`gradient ${edge.name}`], step.values[`new ${edge.name}`]];
    const was = before.get(edge.name);
    const second = next && next.text !== edge.shown ? `→ ${next.text}` : next && was ? `was ${was}` : gradient ? `∂ ${gradient.text}` : "";
    setText(edge.second, second);
  }
}

/** Where the computation is. */
function showPlace(step) {
  for (const old of picture.root.querySelectorAll(".current")) old.classList.remove("current");
  if (step.at) item(step.at)?.element.classList.add("current");
}

const SAID = {
  start: "Nothing computed yet: Forward computes the network's answer for the sample.",
  forward: "Forward: u sums what comes in, times its weights; σ(u) goes on.",
  backward: "Backward: the chain rule, from the cost back to each weight.",
  update: "Update: each weight goes down its gradient, W − η × ∂C/∂W.",
};

function showNow(step) {
  const now = byId("now");
  now.replaceChildren(SAID[step.phase] ?? "");
  if (step.formula) {
    const place = document.createElement("span");
    place.className = "formula";
    insertFormula(place, step.formula);
    now.replaceChildren(place);
  }
}

function showStep(step, view) {
  for (const node of picture.nodes.values()) showNode(node, step, view);
  showCost(step, view);
  showGradients(step);
  showPlace(step);
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
    showNow(view.step);
  });
  on("drawn", (view) => showStep(view.step, view));
  on("frame", () => byId("picture").classList.add("moving"));
  on("view", ({ running }) => byId("picture").classList.toggle("moving", running));
}
