// The data: which set, which sample, and its rows.
import { byId, fillSelect, html, setText } from "./dom.js";
import { act, on, page, say } from "./page.js";
import { qualityPart } from "./quality.js";
import { rowPart, showRow } from "./row.js";
import { inWords, uploadPart } from "./upload.js";

const MOST_ROWS = 100; // of the table of rows

const few = (row) => row.slice(0, 3).map((value) => (typeof value === "number" ? Number(value.toPrecision(3)) : value)).join(", ") + (row.length > 3 ? " …" : "");

/** A sample by its number in the table and what it is: in the table's own units, where there is a table. */
function sampleName({ X, y, cells, targets, numbers }, k) {
  return `${numbers?.[k] ?? k + 1}: ${few(cells?.[k] ?? X[k])} → ${targets ? targets[k] : few(y[k])}`;
}

/** The inputs of the sample that is looked at. */
export const inputsOf = ({ sample }) => few(sample.cells?.slice(0, -1) ?? sample.x);

/** The sample that is looked at, where it is none of those in the list. */
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

function showTable({ data, labels = {} }) {
  const few = (value) => String(Number(value.toPrecision(4)));
  const rows = data.typed ? [] : data.X.slice(0, MOST_ROWS);
  const names = data.columns?.map(({ name }) => name) ?? [
    ...(data.X[0] ?? []).map((_, k) => labels[`X${k + 1}`] ?? `X${k + 1}`),
    ...(data.y[0] ?? []).map((_, k) => (data.y[0].length > 1 ? (labels[`A${k + 1}`] ?? `y${k + 1}`) : "y")),
  ];
  const cells = (k) => (data.cells ? [...data.cells[k], data.targets[k]] : [...data.X[k], ...data.y[k]].map(few));
  const head = html("tr", {}, ...names.map((name) => html("th", { scope: "col" }, name)));
  const body = rows.map((_, k) => html("tr", {}, ...cells(k).map((text) => html("td", { class: "number" }, text))));
  byId("rows").replaceChildren(html("thead", {}, head), html("tbody", {}, ...body));
  const units = data.cells ? "in the table's own units" : "as the network gets them";
  setText(byId("rows-note"), data.typed ? "There are none yet." : data.rows > MOST_ROWS ? `The first ${MOST_ROWS} of ${data.rows.toLocaleString("en")} rows, ${units}.` : `${data.rows} rows, ${units}.`);
}

function showNote({ data, run }) {
  const help = data.typed ? "Give it its table below, add points, or type a row; Train waits for samples." : "";
  const said = [run ? `${run}.` : "", inWords(data.note), help].filter(Boolean).join(" ");
  setText(byId("data-note"), said);
  byId("data-note").hidden = !said;
  if (data.typed) byId("row").open = true;
}

const words = (value) => (Array.isArray(value) ? value.join("-") : value === null ? "all" : String(value).replaceAll("_", " "));
const SETTINGS = { sizes: "sizes", activations: "activations", cost: "cost", solver: "solver", learning_rate: "learning rate", batch_size: "batch size" };

/** Other samples, and what of the settings had to change with them. */
async function changeSet(dataset) {
  const before = page.view.state;
  const view = await act("set", { dataset });
  if (!view) {
    showSets(page.view);
    return;
  }
  const changed = Object.keys(SETTINGS).filter((key) => words(before[key]) !== words(view.state[key])).map((key) => `${SETTINGS[key]} ${words(view.state[key])}`);
  say(changed.length ? `With ${view.data.name}: ${changed.join(", ")}` : `Now on ${view.data.name}; the settings have not changed`);
}

function build() {
  byId("panel-data").replaceChildren(
    html("p", { id: "data-note", class: "note", hidden: true }),
    ...uploadPart(),
    ...rowPart(),
    html("p", { class: "soft" }, "Or draw: add, drag and erase points on the map of the network's outputs."),
    ...qualityPart(),
    html("h2", {}, "Rows"),
    html("p", { id: "rows-note", class: "soft" }),
    html("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Rows" }, html("table", { id: "rows" })),
  );
}

export function startData() {
  build();
  byId("dataset").addEventListener("change", ({ target }) => changeSet(target.value));
  byId("sample").addEventListener("change", ({ target: { value } }) => act("sample", value === "batch" ? { batch: true } : value === "own" ? { batch: false } : { index: Number(value) }));
  on("view", (view) => {
    showSets(view);
    showSamples(view);
    showTable(view);
    showNote(view);
    showRow(view);
  });
}
