// Entry point of the page: the question box, the session's history, and keys.

import { AnswerView } from "./answer.js";
import { ask, keepKey } from "./api.js";
import { closePanel, followAddress } from "./document.js";
import { element } from "./element.js";
import { showHealth, watchHealth } from "./health.js";

const byId = (id) => document.getElementById(id);
const [box, send, keyForm, region, announcement] = ["question", "send", "key-form", "answer", "announcement"].map(byId);
const panel = byId("document");
const views = []; // of this session, oldest first; gone with the page
let running = null; // AbortController of the answer under way
let retry = null; // what to do once a key is given

async function run(question) {
  running?.abort();
  const mine = (running = new AbortController());
  const view = new AnswerView(question);
  showAnswer(view);
  box.value = "";
  send.textContent = "Stop";
  announcement.textContent = "Searching the documents";
  try {
    for await (const [event, data] of ask(question, mine.signal)) {
      if (event === "passages") view.showPassages(data);
      if (event === "token") view.showToken(data.text);
      if (event === "answer") view.showAnswer(data);
    }
  } catch (error) {
    if (mine.signal.aborted) view.showStopped();
    else view.showProblem(error, () => run(question));
    askForKey(error, () => run(question));
    box.value ||= question; // to mend and ask again
  }
  announcement.textContent = view.spoken;
  showHistory(view);
  if (running !== mine) return;
  running = null;
  send.textContent = "Ask";
  showHealth();
}

function showAnswer(view) {
  byId("examples").hidden = true;
  region.replaceChildren(view.article);
}

function showHistory(latest) {
  views.push(latest);
  const items = views.map((view) => {
    const button = element("button", { type: "button", dir: "auto" }, view.question);
    button.addEventListener("click", () => showAnswer(view));
    return element("li", {}, button);
  });
  byId("history").hidden = views.length < 2;
  byId("history").querySelector("ol").replaceChildren(...items.reverse());
}

function askForKey(problem, again) {
  if (problem.status !== 401) return;
  retry = again;
  keyForm.hidden = false;
  byId("key").focus();
}

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key").value.trim());
  keyForm.reset();
  keyForm.hidden = true;
  retry();
});

byId("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = box.value.trim();
  if (running) running.abort();
  else if (question) run(question);
  else box.focus();
});

box.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if (!running) byId("ask").requestSubmit();
});

byId("examples").addEventListener("click", (event) => {
  const chip = event.target.closest("button");
  if (chip) run(chip.textContent);
});

// Escape ends one thing at a time: what has the focus first.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector(":popover-open")) return;
  const inPanel = panel.contains(document.activeElement);
  if (panel.open && (inPanel || !running)) closePanel();
  else running?.abort();
});

const follow = followAddress((problem) => askForKey(problem, follow));
watchHealth();
if (!panel.open && matchMedia("(hover: hover)").matches) box.focus();
