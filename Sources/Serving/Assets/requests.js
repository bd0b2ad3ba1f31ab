// Requests to the server. The token stays in this module's memory and is stored nowhere.
let token = "";

export const setToken = (text) => { token = text; };
export const hasToken = () => token !== "";

/** An answer other than success; `status` 0 means that there was none. */
export class ServerError extends Error {
  constructor(sentence, status, retryAfter = 0) {
    super(sentence);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The headers of a request; changes need one that other sites' forms cannot send. */
export function headers(method) {
  const all = {};
  if (token) all.Authorization = `Bearer ${token}`;
  if (method !== "GET") all["X-DualNorm"] = "1";
  return all;
}

/** The error that an answer states, from its status, text and Retry-After header. */
export function errorOf(status, text, retryAfter) {
  let detail = "";
  try { detail = JSON.parse(text).detail; } catch { /* Proxies answer with other texts. */ }
  if (typeof detail !== "string" || !detail) {
    const known = {
      0: "The server does not answer. Check that it still runs and that you are connected.",
      401: "The server asks for a token.", 404: "The server no longer has this volume.",
      413: "The upload is larger than the server takes.", 503: "The server is busy.",
    };
    detail = known[status] ?? `The server answers with error ${status}.`;
  }
  return new ServerError(detail, status, Number(retryAfter) || 0);
}

/** Sends a request without a body and returns the answer; throws `ServerError`. */
export async function send(path, { method = "GET", signal } = {}) {
  let answer;
  try {
    // A deletion goes on when the page is closed.
    const keepalive = method === "DELETE";
    answer = await fetch(path, { method, signal, headers: headers(method), cache: "no-store", keepalive });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw errorOf(0, "");
  }
  if (!answer.ok) throw errorOf(answer.status, await answer.text().catch(() => ""), answer.headers.get("Retry-After"));
  return answer;
}

/** Uploads a form; `progress` gets bytes sent, all bytes and bytes a second. Returns the promise of the answer and `cancel`. */
export function upload(path, form, progress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    const marks = [[performance.now(), 0]];
    request.upload.addEventListener("progress", (event) => {
      const now = performance.now();
      marks.push([now, event.loaded]);
      // The rate is that of the last four seconds.
      while (marks.length > 2 && now - marks[0][0] > 4000) marks.shift();
      const [since, before] = marks[0];
      progress(event.loaded, event.total, now > since ? (event.loaded - before) * 1000 / (now - since) : 0);
    });
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) {
        try { resolve(JSON.parse(request.responseText)); } catch { reject(errorOf(request.status, "")); }
      } else {
        reject(errorOf(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      }
    });
    request.addEventListener("error", () => {
      reject(new ServerError("The connection broke off during the upload. Check that the server still runs, and try again.", 0));
    });
    request.addEventListener("abort", () => reject(new DOMException("cancelled", "AbortError")));
    request.open("POST", path);
    for (const [name, value] of Object.entries(headers("POST"))) request.setRequestHeader(name, value);
    request.send(form);
  });
  return { done, cancel: () => request.abort() };
}

/** Saves a file under a name; the token goes in a header, never in an address. */
export async function save(path, name) {
  const address = URL.createObjectURL(await (await send(path)).blob());
  const link = Object.assign(document.createElement("a"), { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
