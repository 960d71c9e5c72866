// A row for the step: by its number in the table, or typed, in the units of the table if there is one, otherwise as the
// network's numbers.
import { byId, fillSelect, html, setText } from "./dom.js";
import { act, page, say } from "./page.js";
import { number } from "./training.js";

let built = "";

/** The columns to type, target last: {name, choices}. */
function columnsOf({ data, state, labels }) {
  if (data.columns) return data.columns;
  const [inputs, outputs] = [state.sizes[0], state.sizes.at(-1)];
  const names = (count, letter) => Array.from({ length: count }, (_, k) => ({ name: labels[`${letter}${k + 1}`] ?? (letter === "y" && count === 1 ? "y" : `${letter}${k + 1}`), choices: [] }));
  return [...names(inputs, "X"), ...names(outputs, "y")];
}

/** The values for the fields: those of the selected sample. */
const cellsOf = ({ sample }) => sample.cells ?? [...sample.x, ...sample.y].map(String);

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
  if (await act(...asked)) say("The step now uses this row");
}

async function useNumber(event) {
  event.preventDefault();
  const row = byId("row-number").value.trim();
  if (await act("sample", { row: number(row) })) say(`The step now uses row ${row}`);
}

function show(view) {
  byId("by-number").hidden = view.data.typed;
  setText(byId("row-count"), view.data.numbers ? "" : `of ${view.data.rows.toLocaleString("en")}`);
  const columns = columnsOf(view);
  const cells = cellsOf(view);
  const now = JSON.stringify([columns, cells]);
  if (now === built) return;
  built = now;
  byId("row-cells").replaceChildren(...columns.map((column, k) => field(column, cells[k])));
}

/** The part of the Data panel that selects a row. */
export function rowPart() {
  const form = html("form", {}, html("div", { id: "row-cells" }), html("button", { type: "submit" }, "Use this row for the step"));
  form.addEventListener("submit", use);
  const byNumber = html("form", { id: "by-number" },
    html("label", { class: "field wide" }, "Row of the table ", html("input", { type: "text", id: "row-number", inputmode: "numeric", size: 6, autocomplete: "off", placeholder: "number" }),
      html("span", { id: "row-count" }), html("button", { type: "submit" }, "Use it for the step")));
  byNumber.addEventListener("submit", useNumber);
  return [byNumber, html("details", { id: "row" }, html("summary", {}, "Type a row"), form)];
}

export const showRow = show;
