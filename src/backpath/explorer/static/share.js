// Sharing and saving: a link, a printed page, the picture, the model.
import { address } from "./connection.js";
import { byId, html } from "./dom.js";
import { savePng, saveSvg } from "./image.js";
import { writeLink } from "./link.js";
import { complain, on, page, say } from "./page.js";
import { presentPart } from "./present.js";
import { sendFile } from "./upload.js";

async function copyLink() {
  writeLink();
  const field = byId("link");
  field.value = location.href;
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say("The link is copied");
  } catch {
    say("The link is selected: copy it with Ctrl+C");
  }
}

async function openModel({ target }) {
  const [file] = target.files;
  if (file && (await sendFile("/model", file))) say(`${file.name} is open`);
  target.value = "";
}

const button = (text, pressed) => html("button", { type: "button", onclick: pressed }, text);

function saveImage(save) {
  return () => (page.view.drawn === "summary" ? complain("This network has too many layers to be drawn") : save());
}

function build() {
  const query = { session: page.session };
  byId("panel-share").replaceChildren(
    ...presentPart(),
    html("h2", {}, "Link"),
    html("p", { class: "soft" }, "It contains the network, its weights and the points; nothing is stored elsewhere. Append the part from # on to the address of any running explorer. Tables that you uploaded are not included."),
    html("label", { class: "field wide" }, "Link to this state ", html("input", { id: "link", type: "text", readonly: true })),
    button("Copy the link", copyLink),
    html("h2", {}, "On paper"),
    html("p", {}, html("a", { href: address("/step", query), target: "_blank", rel: "noopener" }, "This step as a printable page")),
    html("h2", {}, "Picture"),
    html("div", { class: "buttons" }, button("Save as SVG", saveImage(saveSvg)), button("Save as PNG", saveImage(savePng))),
    html("h2", {}, "Model"),
    html("p", {}, html("a", { href: address("/model", query), download: "model.safetensors" }, "Save this network as a model file")),
    html("label", { class: "field wide" }, "Open a model file ", html("input", { type: "file", id: "model", accept: ".safetensors", onchange: openModel })),
  );
}

function showLink() {
  if (byId("panel-share").hidden || !byId("link")) return;
  writeLink();
  byId("link").value = location.href;
}

export function startShare() {
  on("view", () => byId("link") || build());
  on("opened", showLink);
  showLink();
}
