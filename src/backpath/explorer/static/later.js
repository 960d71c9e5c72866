// The parts that the page loads later: the panels behind their tabs, the maps in the neurons, the slow animation.
import { startCheck } from "./check.js";
import { startData } from "./data.js";
import { startFlow } from "./flow.js";
import { startMaps } from "./maps.js";
import { startQuality } from "./quality.js";
import { startSamples } from "./samples.js";
import { startSettings } from "./settings.js";
import { startShare } from "./share.js";

export function startLater() {
  startCheck();
  startData();
  startFlow();
  startMaps();
  startQuality();
  startSamples();
  startSettings();
  startShare();
}
