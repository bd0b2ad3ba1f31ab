// The borders of a class as closed loops along pixel edges, so that dashes run on around corners.

/** The classes that a map of class indices has, ascending, without the background. */
export function classesIn(map) {
  const seen = new Uint8Array(256);
  for (const value of map) seen[value] = 1;
  const found = [];
  for (let value = 1; value < 256; value += 1) if (seen[value]) found.push(value);
  return found;
}

/**
 * The loops around one class: lists of corners [x, y, x, y, …] in pixels, the class on the right of each edge.
 * Where two pixels touch at a corner, a loop stays with its own pixel.
 */
export function loopsOf(map, width, height, label) {
  const corners = width + 1;
  const steps = [1, corners, -1, -corners];  // to the right, down, left, up
  // A bit for each heading of the edges that leave a corner.
  const edges = new Uint8Array(corners * (height + 1));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const pixel = y * width + x;
      if (map[pixel] !== label) continue;
      const corner = y * corners + x;
      if (y === 0 || map[pixel - width] !== label) edges[corner] |= 1;
      if (x === width - 1 || map[pixel + 1] !== label) edges[corner + 1] |= 2;
      if (y === height - 1 || map[pixel + width] !== label) edges[corner + corners + 1] |= 4;
      if (x === 0 || map[pixel - 1] !== label) edges[corner + corners] |= 8;
    }
  }
  const loops = [];
  for (let start = 0; start < edges.length; start += 1) {
    while (edges[start]) {
      const loop = [];
      let corner = start;
      let heading = [0, 1, 2, 3].find((turn) => edges[start] & (1 << turn));
      let last = -1;
      do {
        edges[corner] &= ~(1 << heading);
        if (heading !== last) loop.push(corner % corners, Math.floor(corner / corners));
        last = heading;
        corner += steps[heading];
        if (corner === start) break;
        heading = [heading + 1, heading, heading + 3].map((turn) => turn % 4).find((turn) => edges[corner] & (1 << turn));
      } while (heading !== undefined);
      loops.push(loop);
    }
  }
  return loops;
}
