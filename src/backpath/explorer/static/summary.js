// Networks too large to draw: each layer is a box with its size and the statistics of its weights.
import { byId, html, shown } from "./dom.js";
import { choose, on, page } from "./page.js";

function layerBox({ layer, shape, least, most, mean, deviation }, activation) {
  const [neurons, inputs] = shape;
  return html("li", {},
    html("h3", {}, `Layer ${layer}`),
    html("p", {}, `${neurons} ${neurons === 1 ? "neuron" : "neurons"}, ${activation.replace("_", " ")}`),
    html("p", { class: "soft" }, `${(neurons * inputs).toLocaleString("en")} weights`),
    html("p", { class: "soft" }, `from ${shown(least)} to ${shown(most)}`),
    html("p", { class: "soft" }, `mean ${shown(mean)}, deviation ${shown(deviation)}`));
}

/** A form that selects a weight by name, for weights that are not drawn. */
export function byName() {
  const field = html("input", { id: "weight-name", type: "text", size: 10, placeholder: "W11_1", autocomplete: "off" });
  const form = html("form", { class: "bar" },
    html("label", { class: "field" }, "The chain rule of weight ", field), html("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    choose(field.value.trim().replace("∼", "~").replace(/^w/, "W"), "weight"); // as the page writes it, too
  });
  return form;
}

function build(host) {
  const note = html("p", { class: "soft" }, "This network has too many layers to be drawn. They are:");
  host.replaceChildren(note, html("ol", { id: "summary" }), byName());
}

export function drawSummary(host, { summary, state }) {
  if (!byId("summary")) build(host);
  byId("summary").replaceChildren(...summary.map((layer, k) => layerBox(layer, state.activations[k])));
}

export function startSummary() {
  on("frame", ({ summary }) => summary && byId("summary") && drawSummary(byId("picture"), { summary, state: page.view.state }));
}
