// The Data panel: the user's own table, a single row, and all rows.
import { byId, html, setText } from "./dom.js";
import { on } from "./page.js";
import { qualityPart } from "./quality.js";
import { rowPart, showRow } from "./row.js";
import { inWords, uploadPart } from "./upload.js";

const MOST_ROWS = 100; // in the table of rows

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
  const units = data.cells ? "in the table's units" : "as the network receives them";
  setText(byId("rows-note"), data.typed ? "There are no rows yet." : data.rows > MOST_ROWS ? `The first ${MOST_ROWS} of ${data.rows.toLocaleString("en")} rows, ${units}.` : `${data.rows} rows, ${units}.`);
}

function showNote({ data, run }) {
  const help = data.typed ? "To train, give the model its table below or add points. You can also type a row." : "";
  const said = [run ? `${run}.` : "", inWords(data.note), help].filter(Boolean).join(" ");
  setText(byId("data-note"), said);
  byId("data-note").hidden = !said;
  if (data.typed) byId("row").open = true;
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
  on("view", (view) => {
    showTable(view);
    showNote(view);
    showRow(view);
  });
}
