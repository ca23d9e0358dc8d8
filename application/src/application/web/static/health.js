// The state of the three layers, in the header and, in plain words, in the panel below it.

import { fetchReadiness } from "./api.js";
import { element } from "./element.js";

const WORDS = { ready: "All layers ready", degraded: "Degraded", down: "Down" };
const LAYERS = {
  Data: { checks: ["index"], well: "The documents can be searched." },
  Serving: { checks: ["embedder", "model"], well: "The models that search and write reply." },
  Application: {
    checks: ["application", "bundle", "events"],
    well: "Prompts and settings are whole, and answers are recorded.",
  },
};
const UNKNOWN = "Not known, because the application does not reply.";

export async function showHealth() {
  const { status, checks } = await fetchReadiness();
  const failing = Object.keys(checks).filter((name) => !checks[name].ok);
  const names = failing.length ? `: ${failing.join(", ")}` : "";
  document.getElementById("health").dataset.state = status;
  document.getElementById("health-text").textContent = WORDS[status] + names;
  const rows = Object.entries(LAYERS).map(([layer, about]) => rowOf(layer, about, checks));
  document.getElementById("layers").replaceChildren(...rows);
}

function rowOf(layer, { checks: names, well }, checks) {
  const failing = names.filter((name) => checks[name]?.ok === false);
  const isUnknown = checks.application && layer !== "Application";
  const state = failing.length ? "down" : isUnknown ? "unknown" : "ready";
  const told = failing.map((name) => `${name}: ${checks[name].detail}`);
  const words = { ready: [well], unknown: [UNKNOWN], down: told }[state];
  const lines = words.map((sentence) => element("dd", {}, sentence));
  return element("div", { "data-state": state }, element("dt", {}, layer), ...lines);
}
