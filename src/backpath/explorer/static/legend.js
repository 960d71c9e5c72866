// The meaning of colours and shapes: weights under the picture, classes and answers under the plane.
import { byId, colour, html, svg } from "./dom.js";
import { on } from "./page.js";
import { classColour, plane } from "./surface.js";

function weight(kind) {
  const line = svg("svg", { width: 26, height: 8, "aria-hidden": "true" }, svg("line", { class: `edge ${kind}`, x1: 1, y1: 4, x2: 25, y2: 4, "stroke-width": 4 }));
  return html("li", {}, line, html("span", {}, kind, html("span", { class: "wordy" }, " weight")));
}

/** The shapes of points: squares, circles and triangles, in turn. */
function mark(kind) {
  const fill = classColour(kind);
  const shapes = [
    () => svg("rect", { x: 1, y: 1, width: 10, height: 10, fill }),
    () => svg("circle", { cx: 6, cy: 6, r: 5.5, fill }),
    () => svg("polygon", { points: "6,0 12,12 0,12", fill }),
  ];
  return svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, shapes[kind % 3]());
}

function entries({ data, labels }) {
  const outputs = data.y[0]?.length ?? 1;
  if (plane.flat) return [html("li", {}, line("accent"), "answer"), html("li", {}, line("soft"), "target")];
  if (outputs > 1) return data.y[0].map((_, k) => entry(k, labels[`A${k + 1}`] ?? `A${k + 1}`));
  const ends = data.classes?.length === 2 ? data.classes : data.kind === "regression" ? ["low", "high"] : ["0", "1"];
  return ends.map((name, k) => entry(k, name));
}

const entry = (kind, name) => html("li", { title: name }, mark(kind), html("span", { class: "cut" }, name));

const line = (name) => svg("svg", { width: 14, height: 8, "aria-hidden": "true" }, svg("rect", { y: 2, width: 14, height: 4, fill: colour(name) }));

export function startLegend() {
  byId("legend").replaceChildren(weight("positive"), weight("negative"));
  let shownFor = "";
  const show = (view) => {
    const now = JSON.stringify([view.data.classes, view.data.y[0]?.length, view.labels, view.data.kind, plane.flat, colour("low-point")]);
    if (now === shownFor) return;
    shownFor = now;
    byId("classes").replaceChildren(...entries(view));
  };
  let last = null;
  on("view", (view) => show((last = view)));
  for (const event of ["surface drawn", "theme"]) on(event, () => last && show(last));
}
