// The user's own table: its file, how it is read, and the remedies that an error suggests.
import { address } from "./connection.js";
import { byId, fillSelect, html, setText } from "./dom.js";
import { complain, page, say } from "./page.js";

let file = null; // the last table, to send it again with other choices
const KINDS = ".csv,.tsv,.txt,.tab,.dat,.jsonl,.ndjson,.json,.parquet,.xlsx,.gz,.bz2,.zst";
let columns = {}; // name → how to read it, if chosen

const CHOICES = {
  delimiter: ["Delimiter", [["", "detected"], [",", "comma"], [";", "semicolon"], ["tab", "tab"], ["|", "|"], ["whitespace", "blanks"]]],
  decimal: ["Decimal mark", [["", "detected"], [".", "point"], [",", "comma"]]],
  encoding: ["Encoding", [["", "detected"], ["utf-8", "UTF-8"], ["cp1252", "Windows-1252"], ["latin-1", "Latin-1"], ["utf-16", "UTF-16"], ["utf-16-le", "UTF-16-LE"], ["utf-16-be", "UTF-16-BE"]]],
  header: ["First line", [["", "names of the columns"], ["no", "a row of data"], ["yes", "names, although numeric"]]],
  missing: ["Missing cells", [["fill", "fill them in"], ["drop", "leave out their rows"], ["refuse", "refuse the table"]]],
  dates: ["3/4/2020 is", [["", "detected"], ["day-first", "3 April"], ["month-first", "4 March"]]],
  task: ["The target is", [["", "detected"], ["classification", "a class"], ["regression", "a number"]]],
};
const TAKEN = [["", "detected"], ["numeric", "as numbers"], ["categorical", "as categories"], ["keep", "kept"], ["ignore", "left out"]];
const OPTIONS = { "--keep-column": "keep", "--na": "na" };
const keyOf = (option) => OPTIONS[option] ?? option.replace(/^--(no-)?/, "");

/** An error in the page's words, with fields instead of the command line's options. */
export const inWords = (line) => line.replace(/--no-header/g, "“a row of data”").replace(/--([a-z-]+)/g, (_, name) => `“${(CHOICES[name]?.[0] ?? name.replace("-", " ")).toLowerCase()}”`);

/** Sends a file; the new view arrives over the websocket. Returns null if the server refuses it. */
export async function sendFile(path, sent, query = [], refused = null) {
  const url = `${address(path, { session: page.session })}&${new URLSearchParams(query)}`;
  try {
    const response = await fetch(url, { method: "POST", body: sent, headers: { "X-Name": encodeURIComponent(sent.name) } });
    const answer = await response.json();
    if (!answer.error) return answer;
    complain(inWords(answer.error));
    refused?.(answer);
  } catch {
    complain(`${sent.name} could not be sent; is the explorer still running?`);
  }
  return null;
}

function query(target) {
  const found = Object.keys(CHOICES).map((key) => [key, byId(`how-${key}`).value]).filter(([, value]) => value);
  for (const mark of byId("how-na").value.split(",").map((text) => text.trim()).filter(Boolean)) found.push(["na", mark]);
  for (const [name, how] of Object.entries(columns)) if (how) found.push([how, name]);
  return target ? [...found, ["target", target]] : found;
}

/** A note on whether the model is still there. */
function keptOf({ kept, lacking = [] }) {
  if (!lacking.length) return kept ? "; the model stays" : "";
  return `; it lacks the model's ${lacking.slice(0, 8).join(", ")}${lacking.length > 8 ? " …" : ""}, so the table gets a new network. Undo restores the model`;
}

async function sendTable(target) {
  const limit = page.choices.limits.upload_bytes;
  if (file.size > limit) {
    complain(`${file.name} is larger than ${Math.round(limit / 2 ** 20)} MiB, the most that the page accepts`);
    return;
  }
  setText(byId("upload-state"), `Reading ${file.name} …`);
  byId("upload-offer").replaceChildren();
  const answer = await sendFile("/data", file, query(target), (refusal) => offer(refusal, target));
  setText(byId("upload-state"), answer ? `${file.name}: ${answer.rows.toLocaleString("en")} rows, predicting ${answer.target}${keptOf(answer)}` : "");
  if (!answer) return;
  showColumns(answer.columns, answer.target);
  byId("target-field").hidden = false;
  fillSelect(byId("target"), answer.columns.map((name) => [name, name]), answer.target);
  byId("target").value = answer.target;
  say(`${file.name} is loaded`);
}

/** A button for the remedy in an error. */
function offer({ options = [], columns: names = [] }, target) {
  if (names.length) showColumns(names, target);
  byId("how").open = true;
  const pairs = [];
  for (let k = 0; k < options.length; k += 1) {
    if (options[k].startsWith("--no-header") || options[k] === "--header") pairs.push([options[k], null]);
    else pairs.push([options[k], options[(k += 1)]]);
  }
  if (!pairs.length) return;
  const words = pairs.map(([option, value]) => (value === null ? "the first line as a row" : `${(CHOICES[keyOf(option)]?.[0] ?? keyOf(option)).toLowerCase()}: ${value}`));
  const button = html("button", { type: "button", class: "primary" }, `Read it with ${words.join(", ")}`);
  button.addEventListener("click", () => {
    let goal = target;
    for (const [option, value] of pairs) {
      const key = keyOf(option);
      if (key === "target") goal = value;
      else if (option === "--no-header") byId("how-header").value = "no";
      else if (byId(`how-${key}`)) take(byId(`how-${key}`), value);
      else columns[value] = key;
    }
    sendTable(goal);
  });
  byId("upload-offer").replaceChildren(button);
}

/** Resets the choices for another file. */
function forgetHow() {
  for (const [key, [, options]] of Object.entries(CHOICES)) byId(`how-${key}`).value = options[0][0];
  byId("how-na").value = "";
}

function take(field, value) {
  if (field.tagName === "SELECT" && ![...field.options].some((option) => option.value === value)) field.append(html("option", { value }, value));
  field.value = value;
}

/** The choice of how to read each column except the target. */
function showColumns(names, target) {
  columns = Object.fromEntries(names.map((name) => [name, columns[name] ?? ""]));
  byId("columns").replaceChildren(...names.filter((name) => name !== target).map((name) => {
    const select = html("select", { "aria-label": `Kind of column ${name}` });
    fillSelect(select, TAKEN, columns[name]);
    select.addEventListener("change", () => {
      columns[name] = select.value;
      sendTable(byId("target").value || target);
    });
    return html("li", {}, html("label", { class: "field wide" }, `${name} `, select));
  }));
}

function choice([key, [label, options]]) {
  const select = html("select", { id: `how-${key}` });
  fillSelect(select, options, options[0][0]);
  select.addEventListener("change", () => file && sendTable(byId("target-field").hidden ? null : byId("target").value));
  return html("label", { class: "field wide" }, `${label} `, select);
}

/** The part of the Data panel that uploads a table. */
export function uploadPart() {
  const upload = html("input", { type: "file", id: "csv", accept: KINDS });
  const target = html("select", { id: "target" });
  upload.addEventListener("change", () => {
    if (file && file.name !== upload.files[0]?.name) forgetHow();
    file = upload.files[0] ?? null;
    columns = {};
    if (file) sendTable(null);
    upload.value = "";
  });
  target.addEventListener("change", () => sendTable(target.value));
  const na = html("input", { type: "text", id: "how-na", size: 10, autocomplete: "off", placeholder: "n/a, -99" });
  na.addEventListener("change", () => file && sendTable(byId("target").value || null));
  return [
    html("h2", {}, "Your own table"),
    html("p", { class: "soft" }, "CSV, a spreadsheet (.xlsx), JSON lines or Parquet, also compressed, up to 25 MiB. It stays on this machine, and links do not include it."),
    html("label", { class: "field wide" }, "Table file ", upload),
    html("p", { id: "upload-state", role: "status" }),
    html("div", { id: "upload-offer" }),
    html("label", { class: "field wide", id: "target-field", hidden: true }, "Column to predict ", target),
    html("details", { id: "how" },
      html("summary", {}, "How it is read"),
      ...Object.entries(CHOICES).map(choice),
      html("label", { class: "field wide" }, "Also count as missing ", na),
      html("ul", { id: "columns", class: "plain" })),
  ];
}
