// The presenter's view: one screen for a projector, toggled by one key, with a pointer that follows the selected factor.
import { html } from "./dom.js";
import { emit } from "./page.js";
import { looks, showNames } from "./picture.js";
import { openTab } from "./tabs.js";

let before = false; // whether names were shown

export function present(on = document.documentElement.dataset.presenting === undefined) {
  const root = document.documentElement;
  if (on === (root.dataset.presenting !== undefined)) return;
  if (on) {
    before = looks.names;
    root.dataset.presenting = "";
    openTab("derivation");
  } else {
    delete root.dataset.presenting;
  }
  showNames(on || before, !on); // a class needs the numbers, too
  emit("theme"); // redraw the canvases, because the font size has changed
}

const isTyping = ({ target }) => target.closest?.("input, select, textarea, [contenteditable]");

/** The part of the Share panel that opens it. */
export const presentPart = () => [
  html("h2", {}, "In front of a class"),
  html("p", { class: "soft" }, "One screen with large numbers. P switches to it and back, Escape leaves it."),
  html("button", { type: "button", onclick: () => present(true) }, "Presenter's view"),
];

export function startPresenting() {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (event.key === "p" || event.key === "P") present();
    else if (event.key === "Escape") present(false);
  });
}
