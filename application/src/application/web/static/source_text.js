// Draws a document's own text: as it stands, with its tables as tables and one span of it marked.

import { element } from "./element.js";
import { framed } from "./markdown.js";

const ROW = /^\s*\|.*\|\s*$/;
const RULE = /^\s*\|[\s:|-]*-[\s:|-]*\|\s*$/; // the line of dashes below a table's header
const HEADING = /^#{1,6}\s+(?=\S)/;
const BAR = /(?<!\\)\|/g;

// Nodes of `text`; `from` and `to` are UTF-16 units of it. `header` names the columns of a table
// that the text goes on with.
export function sourceText(text, { from = 0, to = 0, header = "" } = {}) {
  const piece = (start, end) => markedPiece(text, start, end, from, to);
  return blocksOf(text).flatMap(({ kind, lines }) => {
    const [first, last] = [lines[0], lines.at(-1)];
    if (kind === "table") return [tableOf(text, lines, header, piece)];
    if (kind === "text") return piece(first.start, last.end);
    const start = first.start + HEADING.exec(first.words)[0].length;
    return [element("strong", { class: "heading" }, ...piece(start, first.end))];
  });
}

// The header row of the table in `text` that `row` belongs to; "" where there is none.
export function headerAbove(text, row) {
  const at = text.indexOf(row.split("\n")[0]);
  const lines = linesOf(at < 0 ? "" : text.slice(0, at)).map(({ words }) => words);
  const rule = lines.findLastIndex((line) => RULE.test(line));
  const between = lines.slice(rule + 1).filter(Boolean);
  return rule > 0 && between.every((line) => ROW.test(line)) ? lines[rule - 1] : "";
}

// Neighbouring lines of one kind: text, a heading, or a table.
function blocksOf(text) {
  const blocks = [];
  for (const line of linesOf(text)) {
    const kind = ROW.test(line.words) ? "table" : HEADING.test(line.words) ? "heading" : "text";
    if (kind !== "heading" && blocks.at(-1)?.kind === kind) blocks.at(-1).lines.push(line);
    else blocks.push({ kind, lines: [line] });
  }
  return blocks;
}

function linesOf(text) {
  let start = 0;
  return text.split("\n").map((words) => {
    const line = { words, start, end: Math.min(text.length, start + words.length + 1) };
    start += words.length + 1;
    return line;
  });
}

function tableOf(text, lines, header, piece) {
  const rows = lines.filter(({ words }) => !RULE.test(words));
  const hasHeader = lines.length > 1 && RULE.test(lines[1].words);
  const drawn = rows.map((line) => cellsOf(line).map(([a, b]) => piece(a, b)));
  const names = hasHeader ? drawn.shift() : namesOf(header, drawn[0]?.length);
  if (names && drawn.length === 1) return framed(recordOf(names, drawn[0]));
  const body = drawn.map((cells) => rowOf("td", cells));
  return framed(element("table", {}, ...(names ? [rowOf("th", names)] : []), ...body));
}

function rowOf(tag, cells) {
  return element("tr", {}, ...cells.map((nodes) => element(tag, {}, ...nodes)));
}

// One row alone is read downwards, so that it fits beside an answer: a name and a cell a line.
function recordOf(names, cells) {
  const lines = cells.map((nodes, column) => {
    const name = element("th", { scope: "row" }, ...(names[column] ?? []));
    return element("tr", {}, name, element("td", {}, ...nodes));
  });
  return element("table", {}, ...lines);
}

// Cells of a header; null where it has not as many columns, and so is not of this table.
function namesOf(header, columns) {
  const words = header.split("\n")[0];
  const cells = cellsOf({ words, start: 0 }).map(([a, b]) => [words.slice(a, b)]);
  return cells.length && cells.length === columns ? cells : null;
}

// Start and end of each cell of a row, without the blanks around it.
function cellsOf({ words, start }) {
  const bars = [...words.matchAll(BAR)].map(({ index }) => index);
  return bars.slice(1).map((bar, number) => {
    const left = bars[number] + 1;
    const cell = words.slice(left, bar);
    const from = start + left + cell.length - cell.trimStart().length;
    return [from, from + cell.trim().length];
  });
}

function markedPiece(text, start, end, from, to) {
  const [a, b] = [Math.max(start, from), Math.min(end, to)];
  if (a >= b) return [text.slice(start, end)];
  const mark = element("mark", { tabindex: "-1" }, text.slice(a, b));
  return [text.slice(start, a), mark, text.slice(b, end)];
}
