// Starts the page.
import { startCost } from "./cost.js";
import { bringBack, startKeeping } from "./keep.js";
import { startDerivation } from "./derivation.js";
import { byId, forgetColours, setText } from "./dom.js";
import { startKeyboard } from "./keyboard.js";
import { startLegend } from "./legend.js";
import { chosenIn, readLink, startLink } from "./link.js";
import { act, complain, emit, on, page, showView, start } from "./page.js";
import { startPicture } from "./picture.js";
import { startPoints } from "./points.js";
import { startPresenting } from "./present.js";
import { startSets } from "./sets.js";
import { startSheet } from "./sheet.js";
import { startSpeech } from "./speech.js";
import { startSteps } from "./step.js";
import { startSummary } from "./summary.js";
import { startSurface } from "./surface.js";
import { openTab, startTabs } from "./tabs.js";
import { startTraining } from "./training.js";

/** The selection in the address, after a reload. */
function looksAt() {
  try {
    return chosenIn(readLink() ?? {});
  } catch {
    return null;
  }
}

/** Opens the state in the address; false if there is none. */
async function openLink() {
  let link = null;
  try {
    link = readLink();
  } catch {
    complain("The link cannot be read; it may be incomplete. Copy the whole link again");
  }
  if (!link) return false;
  page.chosen = chosenIn(link);
  const opened = Boolean(await act("open", { state: link.state }));
  if (!opened) page.chosen = null;
  emit("chosen", page.chosen);
  return opened;
}

/** Shows the present state of a continued session; a new one restores the state from this tab or from the address. */
async function greeted({ view, resumed }) {
  if (resumed) {
    page.chosen ??= looksAt();
    showView(view);
    emit("chosen", page.chosen);
    return;
  }
  if (await bringBack(!page.view)) return;
  if (location.hash && (await openLink())) return;
  showView(view);
}

/** Loads the panels that are not open yet and the font, the largest file, after everything that is needed first. */
async function takeTheRest() {
  try {
    (await import("./later.js")).startLater();
  } catch {
    complain("Part of the page could not be loaded. Reload it");
  }
  document.fonts.load('1em "STIX Two Math"');
}

startTabs();
startSheet();
startPresenting();
startPicture();
startKeyboard();
startSteps();
startDerivation();
startTraining();
startCost();
startSummary();
startSurface();
startLegend();
startPoints();
startSets();
startSpeech();
startLink();
startKeeping();
on("view", ({ state, data, run }) => {
  setText(byId("about"), `${run ? `${run} · ` : ""}${state.sizes.join("-")}, ${[...new Set(state.activations)].join(" and ").replaceAll("_", " ")}`);
  if (document.documentElement.dataset.ready) return;
  document.documentElement.dataset.ready = "yes";
  if (data.typed) openTab("data");
  performance.mark("usable");
  takeTheRest();
});
on("chosen", () => page.view && byId("panel-derivation").scrollTo(0, 0));
addEventListener("hashchange", openLink);
for (const looks of ["(prefers-color-scheme: dark)", "print"]) {
  matchMedia(looks).addEventListener("change", () => {
    forgetColours();
    emit("theme");
  });
}
start(greeted);
