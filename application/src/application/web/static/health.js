// The state of the layers, in the header.

import { fetchReadiness } from "./api.js";
import { element } from "./element.js";

const WORDS = { ready: "All layers ready", degraded: "Degraded", down: "Down" };
const REFRESH_MILLISECONDS = 30_000;

export async function showHealth() {
  const { status, checks } = await fetchReadiness();
  const failing = Object.entries(checks).filter(([, check]) => !check.ok).map(([name]) => name);
  const names = failing.length ? `: ${failing.join(", ")}` : "";
  document.getElementById("health").dataset.state = status;
  document.getElementById("health-text").textContent = WORDS[status] + names;
  const rows = Object.entries(checks).map(([name, { ok, detail }]) =>
    element("div", { "data-state": ok ? "ready" : "down" }, element("dt", {}, name), element("dd", {}, detail || (ok ? "ready" : "not ready"))),
  );
  const nothing = element("div", {}, element("dt", {}, "application"), element("dd", {}, "does not reply"));
  document.getElementById("checks").replaceChildren(...(rows.length ? rows : [nothing]));
}

export function watchHealth() {
  showHealth();
  setInterval(() => document.hidden || showHealth(), REFRESH_MILLISECONDS);
}
