// The truth table: a row per sample, with the output of every neuron and the contribution to the selected weight's gradient.
import { byId, html, setText } from "./dom.js";
import { act, on, page, quietly } from "./page.js";

const AGAIN = 400; // milliseconds between two requests while training
let first = 0;
let asked = 0; // the number of the last request; answers to older ones are not shown
let next = 0;

const open = () => !byId("panel-samples").hidden;

function headCell({ title, kind, neuron }) {
  return html("th", { scope: "col", class: `number ${kind}`, "data-neuron-column": neuron }, title);
}

function row(cells, k, number, chosen) {
  const index = first + k;
  const button = html("button", { type: "button", class: "row-number", "aria-label": `Sample ${number}: use it for the step` }, String(number));
  button.addEventListener("click", () => act("sample", { index }));
  return html("tr", { "aria-selected": String(index === chosen), class: index === chosen ? "chosen" : false },
    html("th", { scope: "row" }, button), ...cells.map((text) => html("td", { class: "number" }, text)));
}

function drawPages(all, rows) {
  const many = all > rows;
  byId("samples-pages").hidden = !many;
  setText(byId("samples-range"), `${(first + 1).toLocaleString("en")} to ${(first + rows).toLocaleString("en")} of ${all.toLocaleString("en")}`);
  byId("samples-before").disabled = first === 0;
  byId("samples-after").disabled = first + rows >= all;
}

function draw(table) {
  const { sample } = page.view;
  /** @type {HTMLTableRowElement | null | undefined} */
  const within = document.activeElement?.closest("#truth-table tr");
  const focused = within?.rowIndex;
  byId("truth-table").replaceChildren(
    html("thead", {}, html("tr", {}, html("th", { scope: "col" }, html("span", { class: "unseen" }, "Sample")), ...table.columns.map(headCell))),
    html("tbody", {}, ...table.rows.map((cells, k) => row(cells, k, table.numbers[k], sample.batch ? -1 : sample.index))),
    html("tfoot", {}, html("tr", {}, html("th", { scope: "row" }, "mean"), ...table.mean.map((text) => html("td", { class: "number" }, text)))),
  );
  if (focused !== undefined) byId("truth-table").rows[focused]?.querySelector("button")?.focus();
  drawPages(table.all, table.rows.length);
  setText(byId("samples-note"), table.weight
    ? `∂C/∂${table.weight} of each sample; their mean, below, is the batch's gradient.`
    : "Click a weight in the picture to show each sample's gradient here.");
}

async function ask() {
  if (!open() || !page.view) return;
  asked += 1;
  const mine = asked;
  first = Math.min(first, Math.max(0, page.view.data.rows - 1));
  const weight = page.chosen?.kind === "weight" ? page.chosen.name : null;
  const table = await quietly("samples", { first, ...(weight ? { weight } : {}) });
  if (table && mine === asked) draw(table);
}

function turn(pages) {
  const size = byId("truth-table").tBodies[0]?.rows.length ?? 1;
  first = Math.max(0, first + pages * Math.max(size, 25));
  ask();
}

function build() {
  byId("panel-samples").replaceChildren(
    html("h2", {}, "All samples"),
    html("p", { class: "soft", id: "samples-note" }),
    html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Samples" }, html("table", { id: "truth-table" })),
    html("div", { class: "bar", id: "samples-pages", hidden: true },
      html("button", { type: "button", id: "samples-before", onclick: () => turn(-1) }, "Before"),
      html("span", { class: "soft", id: "samples-range" }),
      html("button", { type: "button", id: "samples-after", onclick: () => turn(1) }, "After")),
  );
}

export function startSamples() {
  build();
  let name = null;
  on("view", ({ data }) => {
    if (data.name !== name) first = 0;
    name = data.name;
    ask();
  });
  on("chosen", ask);
  on("opened", (tab) => tab === "samples" && ask());
  on("frame", () => {
    if (!open() || performance.now() < next) return;
    next = performance.now() + AGAIN;
    ask();
  });
}
