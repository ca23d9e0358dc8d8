// Entry point of the page: the question box, the conversation, and the key.

import { AnswerView } from "./answer.js";
import { ask, isLocked, keepKey, takeKeyFromAddress } from "./api.js";
import {
  currentConversation,
  historyOf,
  keepConversation,
  newConversation,
  openConversation,
} from "./conversations.js";
import { closePanel, followAddress } from "./document.js";
import { showHealth } from "./health.js";
import { showConversations, startSidebar } from "./sidebar.js";

const HEALTH_MILLISECONDS = 30_000;
const byId = (id) => document.getElementById(id);
const box = byId("question");
const touch = matchMedia("(hover: none)").matches;
let conversation = null;
let latest = null; // the view in #answer
let running = null; // AbortController of the answer under way
let retry = null; // what to do once a key is given

async function run(question) {
  if (running) return; // one at a time
  const own = conversation; // another one may be opened meanwhile
  const again = () => run(question);
  const view = new AnswerView(question);
  running = new AbortController();
  const { signal } = running;
  showView(view);
  view.article.scrollIntoView({ block: "start" });
  byId("send").textContent = "Stop";
  byId("announcement").textContent = "Searching the documents";
  if (touch || document.activeElement !== box) byId("send").focus(); // drops a phone's keyboard
  box.value = "";
  try {
    for await (const [event, data] of ask(question, historyOf(own), signal)) {
      if (event === "passages") view.showPassages(data);
      if (event === "token") view.showToken(data.text);
      if (event === "answer") {
        view.showAnswer(data);
        own.turns.push({ question, answer: data });
        keepConversation(own);
        showConversations(own.id);
      }
    }
  } catch (error) {
    if (signal.aborted) view.showStopped();
    else if (error.status === 401) view.showLocked(error.message);
    else view.showProblem(error, again);
    if (error.status === 401) askForKey(again);
    else if (own === conversation) box.value ||= question; // to mend and ask again
  }
  running = null;
  byId("send").textContent = "Ask";
  byId("announcement").textContent = view.spoken;
  showHealth();
}

// The latest answer stands in #answer, those before it in #thread; one without a reply goes.
function showView(view) {
  byId("welcome").classList.add("small");
  byId("to-answer").hidden = false;
  if (latest && ["answered", "abstained", "degraded"].includes(latest.article.dataset.state)) {
    byId("thread").append(latest.article);
  }
  byId("answer").replaceChildren(view.article);
  latest = view;
}

function showConversation(shown) {
  running?.abort();
  conversation = shown;
  latest = null;
  byId("thread").replaceChildren();
  byId("answer").replaceChildren();
  byId("welcome").classList.remove("small");
  byId("to-answer").hidden = true;
  for (const { question, answer } of shown.turns) {
    const view = new AnswerView(question);
    try {
      view.showAnswer(answer);
    } catch {
      continue; // kept by another version of this page
    }
    showView(view);
  }
  latest?.article.scrollIntoView({ block: "start" });
  showConversations(shown.id);
}

function askForKey(again) {
  retry = again;
  byId("key-form").hidden = false;
  byId("key").focus();
}

// The form comes before the first question, and takes the focus only where nobody has it.
async function greet() {
  const locked = await isLocked();
  if (locked) byId("key-form").hidden = false;
  if (document.activeElement !== document.body || byId("document").open || touch) return;
  (locked ? byId("key") : box).focus();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  keepKey(byId("key").value.trim());
  event.target.reset();
  event.target.hidden = true;
  if (!conversation.turns.length) showConversationOfKey();
  if (retry) retry();
  else box.focus();
  retry = null;
});

// Another key has conversations of its own; the question that waits for it stays in sight.
function showConversationOfKey() {
  conversation = newConversation();
  showConversations(conversation.id);
}

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

byId("to-answer").addEventListener("click", () => latest?.title.focus());

// Escape ends one thing at a time: the open menu, then what has the focus, then the other.
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector(":popover-open")) return;
  const panel = byId("document");
  if (panel.open && (!running || panel.contains(document.activeElement))) closePanel();
  else running?.abort();
});

takeKeyFromAddress();
startSidebar({
  onOpen: (id) => showConversation(openConversation(id)),
  onNew: () => {
    showConversation(newConversation());
    box.focus();
  },
});
showConversation(currentConversation());
followAddress(askForKey);
showHealth();
setInterval(() => document.hidden || showHealth(), HEALTH_MILLISECONDS);
greet();
