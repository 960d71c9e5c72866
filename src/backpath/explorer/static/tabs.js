// The tabs beside the picture: one panel at a time.
import { byId } from "./dom.js";
import { emit, on } from "./page.js";

/** @type {NodeListOf<HTMLElement>} */
const found = document.querySelectorAll('[role="tab"]');
const tabs = [...found];

export function openTab(name) {
  for (const tab of tabs) {
    const chosen = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  emit("opened", name);
}

const nameOf = (tab) => tab.id.replace("tab-", "");

function toNeighbour(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const next = tabs.at((tabs.indexOf(event.target) + step) % tabs.length);
  openTab(nameOf(next));
  next.focus();
  event.preventDefault();
}

export function startTabs() {
  for (const tab of tabs) {
    tab.addEventListener("click", () => openTab(nameOf(tab)));
    tab.addEventListener("keydown", toNeighbour);
  }
  on("chosen", (chosen) => chosen && byId("panel-samples").hidden && openTab("derivation")); // the table also shows it
}
