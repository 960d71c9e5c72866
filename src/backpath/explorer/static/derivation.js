// The chain rule of the selected weight, or the formula of the selected neuron.
import { alike, byId, html, setText } from "./dom.js";
import { setWeight } from "./editor.js";
import { insertFormula, insertMarkup, reachScrolled } from "./markup.js";
import { act, emit, on, page, quietly } from "./page.js";
import { picture } from "./picture.js";

const EVERY = 100; // milliseconds between two requests while training
let shape = ""; // the structure on the page; while it stays the same, only numbers change
let parts = null;

function mathPlace(mathml, className = "formula") {
  const place = html("span", { class: className });
  insertFormula(place, mathml);
  return place;
}

/** A factor as a row; hovering or focusing it highlights its places in the picture. */
function factorRow(factor) {
  const number = html("span", { class: "figure" }, factor.text);
  const row = html("li", { class: "factor", tabindex: "0" },
    mathPlace(factor.symbol), mathPlace(factor.expanded, "formula is"), number, html("span", { class: "soft meaning" }, factor.meaning));
  row.places = factor.places ?? [];
  const lit = () => ({ names: row.places, text: number.textContent, plain: factor.plain });
  for (const event of ["pointerenter", "focus"]) row.addEventListener(event, () => emit("lit", lit()));
  for (const event of ["pointerleave", "blur"]) row.addEventListener(event, () => emit("lit", { names: [] }));
  return { row, number };
}

function factorList(factors, name) {
  const made = factors.map(factorRow);
  const list = html("ol", { class: "factors", "aria-label": name }, ...made.map(({ row }) => row));
  return { list, numbers: made.map(({ number }) => number) };
}

/** A path's factors are added when it is opened, because there may be dozens of paths. */
function pathItem(path, k) {
  const figure = html("span", { class: "figure" }, path.text);
  const item = html("details", {}, html("summary", {}, `${path.neurons.join(" → ")} `, figure));
  const made = { item, figure, numbers: [] };
  item.addEventListener("toggle", () => {
    if (!item.open || made.numbers.length) return;
    const { list, numbers } = factorList(parts.answer.paths[k].factors, `Factors of path ${k + 1}`);
    made.numbers = numbers;
    item.append(list);
  });
  return made;
}

function weightField(name) {
  const field = html("input", { type: "text", inputmode: "decimal", size: 12, autocomplete: "off", id: "weight-value" });
  const form = html("form", { class: "weight-form" }, html("label", { class: "field" }, `${name} = `, field), html("button", { type: "submit" }, "Set"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setWeight(name, field.value);
  });
  return { form, field };
}

function saidOf({ batch, updated, gradient: { value: gradient } }) {
  const when = updated ? "With the new weights. " : "";
  if (batch) return `${when}The mean over all samples. The factors below are those of the sample in the picture.`;
  if (gradient === 0) return `${when}It is zero: this sample does not change this weight.`;
  const way = gradient > 0 ? ["raises", "lowers"] : ["lowers", "raises"];
  return `${when}Increasing this weight ${way[0]} the cost, so gradient descent ${way[1]} the weight.`;
}

function buildWeight(answer) {
  const { form, field } = weightField(answer.weight);
  const gradient = html("span", { class: "figure big" });
  const said = html("p", { class: "soft said" });
  const { list, numbers } = factorList(answer.factors, `Factors of ∂C/∂${answer.weight}`);
  const paths = answer.paths.length > 1 ? answer.paths.map(pathItem) : [];
  const product = html("span", { class: "figure" });
  const steps = html("div", { class: "steps", tabindex: "0", role: "region", "aria-label": "Step by step" });
  const more = html("details", { class: "notes", open: true }, html("summary", {}, "Step by step, as in the notes"), steps);
  const each = html("table", { class: "contributions", hidden: !answer.contributions });
  parts = { field, gradient, said, numbers, product, paths, steps, more, each };
  more.addEventListener("toggle", () => more.open && showSteps(parts.answer));
  const title = html("h2", { class: "result" }, mathPlace(answer.title), html("span", {}, "="), gradient);
  byId("derivation").replaceChildren(
    html("div", { class: "result-bar" }, title, form),
    said,
    each,
    list,
    html("p", { class: "product", hidden: answer.batch }, html("span", {}, "their product"), product),
    ...(paths.length ? [html("h3", { class: "paths" }, pathsTitle(answer)), ...paths.map(({ item }) => item)] : []),
    more,
  );
}

function pathsTitle({ weight, paths, path_count: count }) {
  const which = paths.length < count ? `The strongest ${paths.length} of ${count.toLocaleString("en")}` : `The ${count}`;
  return `${which} paths from the cost to ${weight}`;
}

/** Each sample's gradient, and below them the batch's, which is their mean. */
function contributionRows({ texts, mean }, weight) {
  const rows = texts.map((text, k) => html("tr", {}, html("th", { scope: "row" }, `sample ${k + 1}`), html("td", { class: "number" }, text)));
  return [html("caption", {}, `∂C/∂${weight} of each sample`), html("tbody", {}, ...rows),
    html("tfoot", {}, html("tr", {}, html("th", { scope: "row" }, `their mean, ÷ ${texts.length}`), html("td", { class: "number" }, mean)))];
}

/** Formulas under their headings, which may have several, and the sentences before them. */
function formulaParts(formulas) {
  return formulas.flatMap(({ title, said, mathml }, k) => {
    const place = html("div", { class: "scroll" });
    insertMarkup(place, mathml);
    const heading = title && title !== formulas[k - 1]?.title ? [html("h3", {}, title)] : [];
    return [...heading, ...(said ? [html("p", {}, said)] : []), place];
  });
}

/** The formulas; while training, only the visible ones. */
function showSteps(answer) {
  if (!answer?.formulas || !parts.more.open || parts.stepsOf === answer) return;
  parts.stepsOf = answer;
  parts.steps.replaceChildren(...formulaParts(answer.formulas));
  reachScrolled(byId("derivation"));
}

function showWeightAnswer(answer) {
  const rows = [answer.factors, ...answer.paths.map((path) => path.factors)].flat();
  answer.title ??= partial(answer.weight);
  const now = JSON.stringify([answer.weight, answer.batch, Boolean(answer.contributions), rows.map(({ symbol, expanded }) => [symbol, expanded])]);
  if (now !== shape) {
    shape = now;
    buildWeight(answer);
  }
  parts.answer = answer;
  const [gradient] = alike([answer.gradient]);
  for (const place of [parts.gradient, parts.product]) setText(place, gradient);
  setText(parts.said, saidOf(answer));
  alike(answer.factors).forEach((text, k) => setText(parts.numbers[k], text));
  if (answer.contributions) parts.each.replaceChildren(...contributionRows(answer.contributions, answer.weight));
  parts.paths.forEach(({ figure, numbers }, k) => {
    setText(figure, answer.paths[k].text);
    numbers.forEach((place, f) => setText(place, answer.paths[k].factors[f].text));
  });
  if (document.activeElement !== parts.field) parts.field.value = picture.edges.get(answer.weight)?.shown ?? "";
  showSteps(answer);
  lightHovered();
}

/** ∂C/∂W11_1 */
function partial(name) {
  const [, indices, layer] = name.match(/^W(.*)_(\d+)$/);
  const sub = `<msub><mn>${indices.replace("~", "∼")}</mn><mn>${layer}</mn></msub>`;
  return `<mfrac><mrow><mo>∂</mo><mi>C</mi></mrow><mrow><mo>∂</mo><msub><mi>W</mi>${sub}</msub></mrow></mfrac>`;
}

function showNeuronAnswer(answer) {
  shape = "";
  parts = null;
  const label = page.view.labels[answer.name];
  const values = Object.entries(answer.values).map(([name, { text }]) =>
    html("li", {}, html("span", {}, name.replace("delta_", "∂C/∂u_")), html("span", { class: "figure" }, text)));
  byId("derivation").replaceChildren(
    html("h2", {}, `Neuron ${answer.name}${label ? `, ${label}` : ""}`),
    ...(answer.units ? [html("p", { class: "soft" }, `In the table: ${answer.units}`)] : []),
    html("ul", { class: "values" }, ...values),
    ...formulaParts(answer.formulas));
  reachScrolled(byId("derivation"));
}

async function look() {
  const { chosen, view } = page;
  if (!view) return;
  byId("welcome").hidden = Boolean(chosen);
  byId("derivation").hidden = !chosen;
  if (!chosen) return;
  const asked = chosen.kind === "weight" ? ["derive", { weight: chosen.name }] : ["neuron", { name: chosen.name }];
  const answer = await (page.running ? quietly : act)(...asked);
  if (!answer || page.chosen !== chosen) return;
  if (chosen.kind === "weight") showWeightAnswer(answer);
  else showNeuronAnswer(answer);
}

let hovered = null;
/** Marks the rows whose factor belongs to the place under the pointer. */
function lightHovered() {
  for (const row of byId("derivation").querySelectorAll(".factor")) {
    row.classList.toggle("lit", hovered !== null && row.places.includes(hovered));
  }
}

let asking = false;
/** While training, the page requests new numbers at its own pace. */
async function follow() {
  if (asking || !page.chosen || byId("panel-derivation").hidden) return;
  asking = true;
  await look();
  setTimeout(() => (asking = false), EVERY);
}

export function startDerivation() {
  on("chosen", look);
  on("view", look);
  on("frame", follow);
  on("hovered", (name) => {
    hovered = name;
    lightHovered();
  });
}
