// Draws Markdown as elements. `marked` only reads it: no string ever becomes markup, and nothing
// that a model wrote becomes a link or an image.

import { element } from "./element.js";
import { Marked } from "./vendor/marked.esm.js";

const text = () => undefined; // what is not read as anything else is text
const reader = new Marked({
  breaks: true,
  tokenizer: { html: text, tag: text, def: text, autolink: text, url: text },
});

const HEADINGS_FROM = 2; // below the question, which is an h2

const DRAWN = {
  space: () => [],
  hr: () => [element("hr")],
  br: () => [element("br")],
  paragraph: ({ tokens }) => [element("p", {}, ...all(tokens))],
  heading: ({ depth, tokens }) => {
    return [element(`h${Math.min(6, depth + HEADINGS_FROM)}`, {}, ...all(tokens))];
  },
  blockquote: ({ tokens }) => [element("blockquote", {}, ...all(tokens))],
  code: ({ text }) => [element("pre", { tabindex: "0" }, element("code", {}, text))],
  list: ({ ordered, start, items }) => {
    const drawn = items.map(({ tokens }) => element("li", {}, ...all(tokens)));
    return [ordered ? element("ol", { start }, ...drawn) : element("ul", {}, ...drawn)];
  },
  table: ({ header, rows }) => [tableOf(header, rows)],
  text: ({ tokens, text }) => (tokens ? all(tokens) : [text]),
  escape: ({ text }) => [text],
  strong: ({ tokens }) => [element("strong", {}, ...all(tokens))],
  em: ({ tokens }) => [element("em", {}, ...all(tokens))],
  del: ({ tokens }) => [element("del", {}, ...all(tokens))],
  codespan: ({ text }) => [element("code", {}, text)],
};

// The elements of a Markdown text; where it cannot be read, the text itself.
export function markdown(source) {
  try {
    return all(reader.lexer(source));
  } catch {
    return [source];
  }
}

// A table in a frame of its own, so that a wide one scrolls and the page does not.
export function framed(table) {
  const frame = { class: "table", tabindex: "0", role: "group", "aria-label": "Table" };
  return element("div", frame, table);
}

function all(tokens) {
  return tokens.flatMap((token) => DRAWN[token.type]?.(token) ?? [token.raw]);
}

function tableOf(header, rows) {
  const names = header.map(({ tokens }) => element("th", { scope: "col" }, ...all(tokens)));
  const lines = rows.map((cells) => {
    return element("tr", {}, ...cells.map(({ tokens }) => element("td", {}, ...all(tokens))));
  });
  const head = element("thead", {}, element("tr", {}, ...names));
  return framed(element("table", {}, head, element("tbody", {}, ...lines)));
}
