// The data: which set, which sample, and the learner's own table.
import { address } from "./connection.js";
import { byId, fillSelect, html, setText } from "./dom.js";
import { act, complain, on, page, say } from "./page.js";

let file = null; // the table sent last, to send it again with another target

/** Sends a file; the new view comes over the websocket. Answers null where the server refuses it. */
export async function sendFile(path, sent, query = {}) {
  const url = address(path, { session: page.session, ...query });
  try {
    const response = await fetch(url, { method: "POST", body: sent, headers: { "X-Name": encodeURIComponent(sent.name) } });
    const answer = await response.json();
    if (!answer.error) return answer;
    complain(answer.error);
  } catch {
    complain(`${sent.name} could not be sent; is the explorer still running?`);
  }
  return null;
}

async function sendTable(target) {
  const limit = page.choices.limits.upload_bytes;
  if (file.size > limit) {
    complain(`${file.name} is larger than ${Math.round(limit / 2 ** 20)} MiB, the most that the page takes`);
    return;
  }
  setText(byId("upload-state"), `Reading ${file.name} …`);
  const answer = await sendFile("/data", file, target ? { target } : {});
  setText(byId("upload-state"), answer ? `${file.name}: ${answer.rows.toLocaleString("en")} rows, predicting ${answer.target}` : "");
  byId("target-field").hidden = !answer;
  if (!answer) return;
  fillSelect(byId("target"), [...new Set([...answer.columns, answer.target])].map((name) => [name, name]), answer.target);
  say(`${file.name} is loaded`);
}

function sampleName({ X, y }, k) {
  const few = (row) => row.slice(0, 3).map((value) => Number(value.toPrecision(3))).join(", ") + (row.length > 3 ? " …" : "");
  return `${k + 1}: ${few(X[k])} → ${few(y[k])}`;
}

function showSamples({ data, sample }) {
  const options = data.X.map((_, k) => [String(k), sampleName(data, k)]);
  const own = sample.index === null;
  if (own) options.unshift(["own", `typed: ${sample.x.map((value) => Number(value.toPrecision(3))).join(", ")}`]);
  if (data.rows) options.unshift(["batch", `all ${data.rows} at once`]);
  fillSelect(byId("sample"), options, sample.batch ? "batch" : own ? "own" : sample.index);
}

function showSets(view) {
  const names = page.choices.datasets.map(({ name }) => [name, name]);
  const known = names.some(([name]) => name === view.data.name);
  fillSelect(byId("dataset"), known ? names : [...names, [view.data.name, view.data.name]], view.data.name);
}

function showTable({ data, labels = {} }) {
  const few = (value) => String(Number(value.toPrecision(4)));
  const inputs = data.X[0]?.map((_, k) => labels[`X${k + 1}`] ?? `X${k + 1}`) ?? [];
  const outputs = data.y[0]?.map((_, k) => (data.y[0].length > 1 ? (labels[`A${k + 1}`] ?? `y${k + 1}`) : (data.target ?? "y"))) ?? [];
  const head = html("tr", {}, ...[...inputs, ...outputs].map((name) => html("th", { scope: "col" }, name)));
  const rows = data.X.slice(0, 100).map((x, k) => html("tr", {}, ...[...x, ...data.y[k]].map((value) => html("td", { class: "number" }, few(value)))));
  byId("rows").replaceChildren(html("thead", {}, head), html("tbody", {}, ...rows));
  setText(byId("rows-note"), data.rows > 100 ? `The first 100 of ${data.rows.toLocaleString("en")} rows, as the network gets them.` : `${data.rows} rows, as the network gets them.`);
}

function build() {
  const upload = html("input", { type: "file", id: "csv", accept: ".csv,text/csv" });
  const target = html("select", { id: "target" });
  upload.addEventListener("change", () => {
    file = upload.files[0] ?? null;
    if (file) sendTable(null);
    upload.value = "";
  });
  target.addEventListener("change", () => sendTable(target.value));
  byId("panel-data").replaceChildren(
    html("h2", {}, "Your own table"),
    html("p", { class: "soft" }, "A CSV file with a header, up to 25 MiB. It stays on this machine, and links do not hold it."),
    html("label", { class: "field wide" }, "CSV file ", upload),
    html("p", { id: "upload-state", role: "status" }),
    html("label", { class: "field", id: "target-field", hidden: true }, "Column to predict ", target),
    html("p", { class: "soft" }, "Or draw: the points below lie on what the network answers and can be added, dragged and erased."),
    html("h2", {}, "Rows"),
    html("p", { id: "rows-note", class: "soft" }),
    html("div", { class: "scroll tall", tabindex: "0", role: "region", "aria-label": "Rows" }, html("table", { id: "rows" })),
  );
}

export function startData() {
  build();
  byId("dataset").addEventListener("change", ({ target }) => act("set", { dataset: target.value }));
  byId("sample").addEventListener("change", ({ target: { value } }) => act("sample", value === "batch" ? { batch: true } : { index: Number(value) }));
  on("view", (view) => {
    showSets(view);
    showSamples(view);
    showTable(view);
  });
}
