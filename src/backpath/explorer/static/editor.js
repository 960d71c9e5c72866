// Edits a weight at its place in the picture.
import { byId, html } from "./dom.js";
import { pointAt } from "./labels.js";
import { act, page, say } from "./page.js";

let edited = null;

export async function setWeight(name, value) {
  const view = await act("weight", { name, value });
  if (view) say(`${name} is ${view.weights.find((weight) => weight.name === name)?.text ?? value} now`);
  return view;
}

function close(back) {
  const edge = edited;
  edited = null; // hiding the field blurs it, which calls this again
  byId("weight-editor").hidden = true;
  if (back) edge?.button.focus();
}

function made() {
  const field = html("input", { id: "weight-editor", type: "text", inputmode: "decimal", autocomplete: "off" });
  field.addEventListener("keydown", async (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close(true);
    if (event.key !== "Enter" || !edited) return;
    if (await setWeight(edited.name, field.value)) close(true);
  });
  field.addEventListener("blur", () => close(false));
  return field;
}

/** Puts a field over an edge's number: Enter sets the weight, Escape cancels. */
export function openEditor(edge) {
  const host = byId("picture");
  const field = byId("weight-editor") ?? host.appendChild(made());
  edited = edge;
  const weight = page.view.weights.find(({ name }) => name === edge.name);
  field.value = String(weight.value);
  field.setAttribute("aria-label", `${edge.name}, new value`);
  const root = host.querySelector("svg");
  const point = new DOMPoint(...Object.values(pointAt(edge, edge.t))).matrixTransform(root.getScreenCTM());
  const frame = host.getBoundingClientRect();
  field.style.left = `${point.x - frame.left + host.scrollLeft}px`;
  field.style.top = `${point.y - frame.top}px`;
  field.hidden = false;
  field.focus();
  field.select();
}
