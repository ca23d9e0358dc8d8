// The state of the layers, in the header.

import { fetchReadiness } from "./api.js";
import { element } from "./element.js";

const WORDS = { ready: "All layers ready", degraded: "Degraded", down: "Down" };

export async function showHealth() {
  const { status, checks } = await fetchReadiness();
  const failing = Object.keys(checks).filter((name) => !checks[name].ok);
  const names = failing.length ? `: ${failing.join(", ")}` : "";
  document.getElementById("health").dataset.state = status;
  document.getElementById("health-text").textContent = WORDS[status] + names;
  const rows = Object.entries(checks).map(([name, { ok, detail }]) => {
    const state = { "data-state": ok ? "ready" : "down" };
    return element("div", state, element("dt", {}, name), element("dd", {}, detail));
  });
  document.getElementById("checks").replaceChildren(...rows);
}
