// The application's HTTP API as the page uses it: ask, read a document, readiness.

const KEY = "faultline-api-key"; // in sessionStorage: gone with the tab

export class Problem extends Error {
  constructor({ title, detail, status = 0 }, retryAfter = null) {
    super(detail);
    Object.assign(this, { title, status, retryAfter });
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

async function request(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { ...options.headers, ...(key && { Authorization: `Bearer ${key}` }) };
  try {
    return await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail = "The application did not reply. Check that it is running, then try again.";
    throw new Problem({ title: "No connection", detail });
  }
}

async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const title = body.title ?? "The request failed";
  const detail = body.detail ?? `The application replied with status ${response.status}.`;
  const words = typeof detail === "string" ? detail : JSON.stringify(detail);
  return new Problem({ title, detail: words, status: response.status }, response.headers.get("Retry-After"));
}

// Yields [name, data] for each event of the stream (see STREAM_EVENTS in contracts/answer.py).
export async function* ask(question, signal) {
  const response = await request("v1/ask", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify({ question, stream: true }),
    signal,
  });
  if (!response.ok) throw await problemOf(response);
  try {
    for await (const [name, data] of events(response.body)) {
      if (name === "error") throw new Problem(data);
      yield [name, data];
      if (name === "answer") return;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a TypeError is a connection that broke
  }
  const detail = "The connection closed before the answer was complete. Ask again.";
  throw new Problem({ title: "Cut short", detail });
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const lines of blocks.map((block) => block.split(/\r?\n/))) {
      const field = (name) =>
        lines.filter((line) => line.startsWith(name + ":")).map((line) => line.slice(name.length + 1).trim());
      if (field("data").length) yield [field("event")[0], JSON.parse(field("data").join("\n"))];
    }
  }
}

export async function fetchDocument(documentId) {
  const path = documentId.split("/").map(encodeURIComponent).join("/");
  const response = await request(`v1/documents/${path}`);
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

// Readiness is told with status 503 too, so only a body without checks counts as no answer.
export async function fetchReadiness() {
  const unreachable = { status: "down", checks: {} };
  const read = async () => (await request("health/ready")).json();
  const readiness = await read().catch(() => unreachable);
  return readiness.checks ? readiness : unreachable;
}
