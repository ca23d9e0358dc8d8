// A vote below an answer, then a comment. The question is sent along, to become a golden.

import { sendFeedback } from "./api.js";
import { element } from "./element.js";

const THANKS = "Thank you: your feedback is kept with the versions that answered.";
const VOTES = { up: "Helpful", down: "Not helpful" };

export function feedbackOn({ request_id, question }) {
  let vote = null;
  const said = element("p", { class: "hint", role: "status" });
  const buttons = Object.entries(VOTES).map(([name, label]) => {
    const button = element("button", { type: "button", "aria-pressed": "false" }, label);
    button.classList.add("secondary", name);
    button.addEventListener("click", () => choose(name, button));
    return button;
  });
  const comment = element("input", {
    type: "text",
    maxlength: "2000",
    placeholder: "What is right or wrong? (optional)",
    "aria-label": "Comment on this answer",
  });
  const send = element("button", { class: "secondary", type: "button" }, "Send feedback");
  const row = element("div", { class: "comment", hidden: "" }, comment, send);
  send.addEventListener("click", submit);
  comment.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) submit();
  });

  function choose(name, chosen) {
    vote = name;
    for (const button of buttons) button.ariaPressed = String(button === chosen);
    row.hidden = false;
    comment.focus();
  }

  async function submit() {
    send.disabled = true; // one click is one vote
    try {
      await sendFeedback({ request_id, vote, comment: comment.value.trim(), question });
      said.textContent = THANKS;
      row.hidden = true;
      for (const button of buttons) button.disabled = true;
    } catch (problem) {
      said.textContent = problem.message;
      send.disabled = false;
    }
  }

  return element("div", { class: "feedback" }, ...buttons, row, said);
}
