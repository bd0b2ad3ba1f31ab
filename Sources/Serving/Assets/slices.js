// Slices of a result: fetched when needed, neighbours ahead, and the farthest forgotten.
import { send } from "./requests.js";

const mostSlices = 200;
const mostBytes = 400e6;
const ahead = 6;
const atOnce = 3;

export class Slices {
  #cache = new Map();
  #running = new Map();
  #job;
  #result;
  #wanted = 0;
  #closed = false;

  /**
   * `onSlice` gets the number of each slice that arrives. `onError` gets the error of the wanted slice.
   */
  constructor(job, result, onSlice, onError) {
    this.#job = job;
    this.#result = result;
    this.onSlice = onSlice;
    this.onError = onError;
  }

  /** The slice if it is here; fetches it and its neighbours otherwise. */
  get(index) {
    this.#wanted = index;
    this.#fetchMore();
    return this.#cache.get(index);
  }

  close() {
    this.#closed = true;
    for (const control of this.#running.values()) control.abort();
    this.#cache.clear();
  }

  #fetchMore() {
    if (this.#closed) return;
    for (let distance = 0; distance <= ahead; distance += 1) {
      for (const index of new Set([this.#wanted + distance, this.#wanted - distance])) {
        if (index < 0 || index >= this.#result.slices || this.#cache.has(index) || this.#running.has(index)) continue;
        // The wanted slice never waits for its neighbours.
        if (distance > 0 && this.#running.size >= atOnce) return;
        this.#fetch(index);
      }
    }
  }

  async #fetch(index) {
    const control = new AbortController();
    this.#running.set(index, control);
    try {
      const answer = await send(`/page/jobs/${this.#job}/slices/${index}`, { signal: control.signal });
      const slice = this.#parsed(new Uint8Array(await answer.arrayBuffer()));
      this.#running.delete(index);
      if (this.#closed) return;
      this.#cache.set(index, slice);
      this.#forget();
      this.onSlice(index);
      this.#fetchMore();
    } catch (error) {
      this.#running.delete(index);
      if (this.#closed || error.name === "AbortError") return;
      if (index === this.#wanted) this.onError(error);
    }
  }

  /** The parts of a slice's bytes: planes of the picture, a map of classes for each pass, and the uncertainty. */
  #parsed(all) {
    const { width, height, channels, passes } = this.#result;
    const size = width * height;
    const planes = channels + passes.length + 1;
    if (all.length !== planes * size) throw new Error(`A slice has ${all.length} bytes instead of ${planes * size}.`);
    const plane = (place) => all.subarray(place * size, (place + 1) * size);
    return {
      grey: Array.from({ length: channels }, (_, place) => plane(place)),
      passes: passes.map((_, place) => plane(channels + place)),
      uncertainty: plane(planes - 1), paths: new Map(),
    };
  }

  #forget() {
    const { width, height, channels, passes } = this.#result;
    const size = width * height * (channels + passes.length + 1);
    const most = Math.max(2 * ahead + 1, Math.min(mostSlices, Math.floor(mostBytes / size)));
    if (this.#cache.size <= most) return;
    const distance = (index) => Math.abs(index - this.#wanted);
    this.#cache.delete([...this.#cache.keys()].reduce((a, b) => distance(b) > distance(a) ? b : a));
  }
}
