// The network's settings: layers, activations, cost, initial weights.
import { byId, fillSelect, html, onSetting, showSetting } from "./dom.js";
import { act, on, page } from "./page.js";
import { number } from "./training.js";

const words = (name) => name.replaceAll("_", " ");
const options = (names) => names.map((name) => [name, words(name)]);
let built = "";

async function set(change) {
  if (!(await act("set", change))) {
    built = "";
    show(page.view);
  }
}

/** The layers' sizes and activations in the fields. */
function layers() {
  const sizes = [...byId("layers").querySelectorAll("input")].map(({ value }) => number(value.trim()));
  const activations = [...byId("layers").querySelectorAll("select")].map(({ value }) => value);
  const { sizes: old } = page.view.state;
  return { sizes: [old[0], ...sizes, old.at(-1)], activations };
}

function activationSelect(name, label, more = []) {
  const select = html("select", { "aria-label": label });
  fillSelect(select, options([...page.choices.activations, ...more]), name);
  select.addEventListener("change", () => set(layers()));
  return select;
}

function layerRow(k, size, activation) {
  const field = html("input", { type: "text", inputmode: "numeric", size: 3, value: size, "aria-label": `Neurons of hidden layer ${k}`, autocomplete: "off" });
  field.addEventListener("change", () => set(layers()));
  const remove = html("button", { type: "button", "aria-label": `Remove hidden layer ${k}` }, "×");
  remove.addEventListener("click", () => {
    remove.parentElement.remove();
    set(layers());
  });
  return html("li", { class: "bar" }, html("span", { class: "layer-name" }, `Hidden ${k}`), field, activationSelect(activation, `Activation of hidden layer ${k}`), remove);
}

function showLayers({ sizes, activations }) {
  const now = JSON.stringify([sizes, activations]);
  if (now === built) return;
  built = now;
  const hidden = sizes.slice(1, -1).map((size, k) => layerRow(k + 1, size, activations[k]));
  const output = html("li", { class: "bar" }, html("span", { class: "layer-name" }, "Output"), html("span", { class: "fixed" }, String(sizes.at(-1))), activationSelect(activations.at(-1), "Activation of the output layer", page.choices.output_activations));
  byId("layers").replaceChildren(...hidden, output);
}

function addLayer() {
  const { sizes, activations } = page.view.state;
  const hidden = activations.slice(0, -1);
  set({ sizes: [...sizes.slice(0, -1), 2, sizes.at(-1)], activations: [...hidden, hidden.at(-1) ?? "sigmoid", activations.at(-1)] });
}

function textField(id, label, key, read = number) {
  const field = html("input", { type: "text", id, size: 14, autocomplete: "off" });
  onSetting(field, (typed) => set({ [key]: read(typed) }));
  return html("label", { class: "field wide" }, `${label} `, field);
}

function biasField() {
  const field = html("input", { type: "checkbox", id: "biases" });
  field.addEventListener("change", () => set({ biases: field.checked }));
  return html("label", { class: "field wide" }, field, " Bias neurons");
}

function build() {
  const cost = html("select", { id: "cost-function" });
  cost.addEventListener("change", () => set({ cost: cost.value }));
  const start = textField("init", "Initial weights", "init", (text) => text);
  start.lastChild.setAttribute("list", "inits");
  byId("panel-settings").replaceChildren(
    html("h2", {}, "Layers"),
    html("ol", { id: "layers" }),
    html("button", { type: "button", onclick: addLayer }, "Add a hidden layer"),
    html("h2", {}, "Cost"),
    html("label", { class: "field wide" }, "Cost function ", cost),
    html("h2", {}, "Initial weights"),
    start,
    html("datalist", { id: "inits" }, ...page.choices.initialisations.map((value) => html("option", { value }))),
    html("p", { class: "soft" }, "Or, for example, uniform:-1,1 or normal:0.5."),
    textField("seed", "Seed", "seed"),
    biasField(),
    html("button", { type: "button", onclick: () => set({ seed: (page.view.state.seed ?? 0) + 1 }) }, "New weights: next seed"),
    html("p", { class: "soft" }, "Changing the layers or the initial weights draws new weights and restarts at epoch 0."),
  );
}

function show({ state }) {
  if (!byId("layers")) build();
  showLayers(state);
  fillSelect(byId("cost-function"), options(page.choices.costs.map(({ name }) => name)), state.cost);
  for (const id of ["init", "seed"]) showSetting(byId(id), state[id] ?? "");
  byId("biases").checked = state.biases;
}

export function startSettings() {
  on("view", show);
}
