// Two buttons and a comment below an answer. The question is sent along, to become a golden.

import { sendFeedback } from "./api.js";
import { element } from "./element.js";

const THANKS = "Thank you: your feedback is kept with the versions that answered.";

export function feedbackOn({ request_id, question }) {
  const said = element("p", { class: "hint", role: "status" });
  const comment = element("input", {
    type: "text",
    maxlength: "2000",
    placeholder: "What is right or wrong? (optional)",
    "aria-label": "Comment on this answer",
  });
  const buttons = [
    ["up", "Helpful"],
    ["down", "Not helpful"],
  ].map(([vote, label]) => {
    const button = element("button", { class: "secondary", type: "button" }, label);
    button.addEventListener("click", () => send(vote));
    return button;
  });

  async function send(vote) {
    try {
      await sendFeedback({ request_id, vote, comment: comment.value.trim(), question });
      said.textContent = THANKS;
      for (const button of buttons) button.disabled = true;
    } catch (problem) {
      said.textContent = problem.message;
    }
  }

  return element("div", { class: "feedback" }, ...buttons, comment, said);
}
