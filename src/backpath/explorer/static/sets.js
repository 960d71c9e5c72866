// The lists of data sets and samples at the top of the page.
import { byId, fillSelect } from "./dom.js";
import { act, on, page, say } from "./page.js";

const few = (row) => row.slice(0, 3).map((value) => (typeof value === "number" ? Number(value.toPrecision(3)) : value)).join(", ") + (row.length > 3 ? " …" : "");

/** A sample by its number and values, in the units of its table if there is one. */
function sampleName({ X, y, cells, targets, numbers }, k) {
  return `${numbers?.[k] ?? k + 1}: ${few(cells?.[k] ?? X[k])} → ${targets ? targets[k] : few(y[k])}`;
}

/** The inputs of the selected sample. */
export const inputsOf = ({ sample }) => few(sample.cells?.slice(0, -1) ?? sample.x);

/** The selected sample, if it is not in the list. */
function otherName(view) {
  const { number, cells, y } = view.sample;
  return `${number ? `row ${number.toLocaleString("en")}` : "typed"}: ${inputsOf(view)} → ${cells ? cells.at(-1) : few(y)}`;
}

function showSamples(view) {
  const { data, sample } = view;
  const options = data.typed ? [["0", "a typed row"]] : data.X.map((_, k) => [String(k), sampleName(data, k)]);
  const own = sample.index === null || sample.index >= data.X.length;
  if (own) options.unshift(["own", otherName(view)]);
  if (data.rows > 1) options.unshift(["batch", `all ${data.rows} at once`]);
  fillSelect(byId("sample"), options, sample.batch ? "batch" : own ? "own" : sample.index);
}

function showSets(view) {
  const names = page.choices.datasets.map(({ name }) => [name, name]);
  const own = view.own.map(({ key, name }, k) => [key, view.own.findIndex((other) => other.name === name) === k ? name : `${name} (${k + 1})`]);
  const current = view.data.key ?? view.data.name;
  const all = [...names, ...own];
  const known = all.some(([key]) => key === current);
  fillSelect(byId("dataset"), known ? all : [...all, [current, view.data.typed ? "no samples" : view.data.name]], current);
}

const words = (value) => (Array.isArray(value) ? value.join("-") : value === null ? "all" : String(value).replaceAll("_", " "));
const SETTINGS = { sizes: "sizes", activations: "activations", cost: "cost", solver: "solver", learning_rate: "learning rate", batch_size: "batch size" };

/** Loads other samples, and reports the settings that changed with them. */
async function changeSet(dataset) {
  const before = page.view.state;
  const view = await act("set", { dataset });
  if (!view) {
    showSets(page.view);
    return;
  }
  const changed = Object.keys(SETTINGS).filter((key) => words(before[key]) !== words(view.state[key])).map((key) => `${SETTINGS[key]} ${words(view.state[key])}`);
  say(changed.length ? `With ${view.data.name}: ${changed.join(", ")}` : `Now with ${view.data.name}; the settings have not changed`);
}

export function startSets() {
  byId("dataset").addEventListener("change", ({ target }) => changeSet(target.value));
  byId("sample").addEventListener("change", ({ target: { value } }) => act("sample", value === "batch" ? { batch: true } : value === "own" ? { batch: false } : { index: Number(value) }));
  on("view", (view) => {
    showSets(view);
    showSamples(view);
  });
}
