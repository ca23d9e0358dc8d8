// The list of conversations: beside the page where there is room, else behind a button.

import { allConversations, forgetConversations } from "./conversations.js";
import { element } from "./element.js";

const panel = document.getElementById("conversations");
const list = panel.querySelector("ol");
const forget = document.getElementById("forget");

// `onOpen(id)` is called with the conversation that was chosen, `onNew()` for an empty one.
export function startSidebar({ onOpen, onNew }) {
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    panel.hidePopover();
    onOpen(button.dataset.id);
  });
  for (const button of document.querySelectorAll("[data-new]")) {
    button.addEventListener("click", () => {
      panel.hidePopover();
      onNew();
    });
  }
  forget.addEventListener("click", () => {
    if (!confirm("Delete every conversation that this browser keeps for this key?")) return;
    forgetConversations();
    panel.hidePopover();
    onNew();
  });
}

export function showConversations(currentId) {
  const kept = allConversations();
  const items = kept.map(({ id, turns }) => {
    const current = id === currentId ? { "aria-current": "true" } : {};
    const attributes = { type: "button", dir: "auto", "data-id": id, ...current };
    return element("li", {}, element("button", attributes, turns[0].question));
  });
  list.replaceChildren(...items);
  forget.hidden = !kept.length;
}
