// The application's HTTP API as the page uses it: ask, read a document, readiness.

const KEY = "faultline-api-key"; // in sessionStorage: gone with the tab
const NO_REPLY = {
  title: "No connection",
  detail: "The application did not reply. Check that it is running, then try again.",
};
const CUT_SHORT = {
  title: "Cut short",
  detail: "The connection closed before the answer was complete. Ask again.",
};

export class Problem extends Error {
  constructor({ title, detail, status }, retryAfter) {
    super(detail);
    Object.assign(this, { title, status, retryAfter });
  }
}

export function keepKey(key) {
  sessionStorage.setItem(KEY, key);
}

// A short mark of the key, to keep apart what belongs to different keys; "" without a key.
export function keyMark() {
  const key = sessionStorage.getItem(KEY);
  if (!key) return "";
  let hash = 0x811c9dc5; // FNV-1a: nobody gets the key back from 32 bits
  for (const letter of key) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193);
  return `-${(hash >>> 0).toString(16)}`;
}

// Whether the application refuses this tab until it sends another key.
export async function isLocked() {
  return request("v1/status").then(
    () => false,
    ({ status }) => status === 401,
  );
}

// A link may bring the key as #key=...: no server or log sees a fragment. It leaves the address bar.
export function takeKeyFromAddress() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  keepKey(key);
  history.replaceState(null, "", location.pathname);
}

async function request(path, options) {
  const key = sessionStorage.getItem(KEY);
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(path, { headers, ...options }).catch((error) => {
    throw error.name === "AbortError" ? error : new Problem(NO_REPLY);
  });
  if (response.ok) return response;
  const { status } = response;
  const unnamed = { title: "The request failed", detail: `The reply has status ${status}.` };
  const body = await response.json().catch(() => ({})); // a proxy's error is no JSON
  throw new Problem({ ...unnamed, ...body, status }, response.headers.get("Retry-After"));
}

// Yields [name, data] for each event of the stream (see STREAM_EVENTS in contracts/answer.py).
export async function* ask(question, history, signal) {
  const body = JSON.stringify({ question, history, stream: true });
  const response = await request("v1/ask", { method: "POST", body, signal });
  try {
    for await (const [name, data] of events(response.body)) {
      if (name === "error") throw new Problem(data);
      yield [name, data];
      if (name === "answer") return;
    }
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // a TypeError is a connection that broke
  }
  throw new Problem(CUT_SHORT);
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    const blocks = (rest + value).split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split(/\r?\n/).map((line) => line.split(/: ?(.*)/s, 2));
      const { event, data } = Object.fromEntries(lines);
      if (event && data) yield [event, JSON.parse(data)];
    }
  }
}

export async function sendFeedback(feedback) {
  await request("v1/feedback", { method: "POST", body: JSON.stringify(feedback) });
}

export async function fetchDocument(documentId) {
  const path = documentId.split("/").map(encodeURIComponent).join("/");
  return (await request(`v1/documents/${path}`)).json();
}

// A body comes with status 503 too: only its absence means that nobody replied.
export async function fetchReadiness() {
  const application = { ok: false, detail: "does not reply" };
  return fetch("health/ready")
    .then((response) => response.json())
    .catch(() => ({ status: "down", checks: { application } }));
}
