// A row that is typed: in the units of the table, where there is one, else as the network's own numbers.
import { byId, fillSelect, html } from "./dom.js";
import { act, page, say } from "./page.js";

let built = "";

/** The columns to type, target last: {name, choices}. */
function columnsOf({ data, state, labels }) {
  if (data.columns) return data.columns;
  const [inputs, outputs] = [state.sizes[0], state.sizes.at(-1)];
  const names = (count, letter) => Array.from({ length: count }, (_, k) => ({ name: labels[`${letter}${k + 1}`] ?? (letter === "y" && count === 1 ? "y" : `${letter}${k + 1}`), choices: [] }));
  return [...names(inputs, "X"), ...names(outputs, "y")];
}

/** What stands in the fields at first: the sample that is looked at. */
function cellsOf({ data, sample }) {
  if (!data.columns) return [...sample.x, ...sample.y].map(String);
  const k = sample.index ?? 0;
  return data.cells[k] ? [...data.cells[k], data.targets[k]] : data.columns.map(() => "");
}

function field({ name, choices }, value) {
  if (!choices.length) return html("label", { class: "field wide" }, `${name} `, html("input", { type: "text", value: value === "missing" ? "" : value, size: 8, autocomplete: "off" }));
  const select = html("select", {});
  fillSelect(select, choices.map((choice) => [choice, choice]), choices.includes(value) ? value : choices[0]);
  return html("label", { class: "field wide" }, `${name} `, select);
}

async function use(event) {
  event.preventDefault();
  const cells = [...byId("row-cells").querySelectorAll("input, select")].map(({ value }) => value.trim());
  const inputs = page.view.state.sizes[0];
  const asked = page.view.data.columns ? ["row", { cells }] : ["sample", { x: cells.slice(0, inputs), y: cells.slice(inputs) }];
  if (await act(...asked)) say("The step now uses the typed row");
}

function show(view) {
  const columns = columnsOf(view);
  const now = JSON.stringify(columns);
  if (now === built) return;
  built = now;
  const cells = cellsOf(view);
  byId("row-cells").replaceChildren(...columns.map((column, k) => field(column, cells[k])));
}

/** The part of the Data panel that takes a row. */
export function rowPart() {
  const form = html("form", {}, html("div", { id: "row-cells" }), html("button", { type: "submit" }, "Take this row for the step"));
  form.addEventListener("submit", use);
  return html("details", { id: "row" }, html("summary", {}, "Type a row"), form);
}

export const showRow = show;
