// The quality of the answers: accuracy, also per class, or the typical error; also for the held-out rows.
import { byId, html } from "./dom.js";
import { act, on } from "./page.js";

const percent = ({ right, count }) => (count ? `${((100 * right) / count).toFixed(0)}%` : "–");

function show(parts) {
  const line = parts.map(({ rows, text }) => (parts.length > 1 ? `${rows}: ${text}` : text)).join("; ");
  byId("quality").textContent = line.charAt(0).toUpperCase() + line.slice(1);
  const host = byId("by-class");
  const classes = parts[0]?.classes ?? [];
  host.hidden = !classes.length;
  if (!classes.length) return;
  const head = ["Class", "rows", ...parts.map(({ rows }) => `right, ${rows}`), "predicted"];
  host.replaceChildren(
    html("thead", {}, html("tr", {}, ...head.map((text) => html("th", { scope: "col" }, text)))),
    html("tbody", {}, ...classes.map(({ name, said }, k) => html("tr", {}, html("th", { scope: "row" }, name),
      ...[classes[k].count, ...parts.map((part) => percent(part.classes[k])), said].map((text) => html("td", { class: "number" }, String(text)))))),
  );
}

/** The part of the Data panel that holds out rows and shows all classes. */
export function qualityPart() {
  const share = html("select", { id: "hold-out" }, ...[0, 10, 20, 30, 50].map((value) => html("option", { value }, value ? `${value}%` : "none")));
  share.addEventListener("change", async () => {
    if (!(await act("hold_out", { percent: Number(share.value) }))) share.value = "0";
  });
  return [
    html("h2", {}, "How good it is"),
    html("label", { class: "field wide" }, "Rows held out ", share),
    html("p", { class: "soft" }, "The network is not trained on them; their cost is the dashed curve."),
    html("table", { id: "by-class", hidden: true }),
  ];
}

export function startQuality() {
  on("view", ({ quality, data }) => {
    show(quality);
    if (document.activeElement !== byId("hold-out")) byId("hold-out").value = String(data.held_out);
  });
  on("frame", ({ quality }) => quality && show(quality));
}
