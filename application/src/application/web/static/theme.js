// Light or dark: the system's choice until the reader makes one. It runs before the page is drawn.

(() => {
  const SLOT = "faultline-theme";
  const CHOICES = { auto: "as the system", light: "light", dark: "dark" };
  const names = Object.keys(CHOICES);
  let chosen = "auto";

  function apply(name) {
    chosen = names.includes(name) ? name : "auto";
    document.documentElement.dataset.theme = chosen;
  }

  try {
    apply(localStorage.getItem(SLOT));
  } catch {
    apply("auto"); // this browser keeps nothing
  }

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => button.setAttribute("aria-label", `Colours: ${CHOICES[chosen]}`);
    button.title = "Change between the system's colours, light and dark";
    name();
    button.addEventListener("click", () => {
      apply(names[(names.indexOf(chosen) + 1) % names.length]);
      name();
      try {
        localStorage.setItem(SLOT, chosen);
      } catch {
        // it holds until the page is left
      }
    });
  });
})();
