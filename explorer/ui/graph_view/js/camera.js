// Where the view stands: screen = world * k + (x, y). Pure functions; gestures are in gestures.js.

export const LEAST = 0.01;
export const MOST = 4;
export const READABLE = 0.72; // titles of 12.5 px stay above 9 px

/** The camera that shows all of it, with a margin, never larger than life and a bit. */
export function fit(world, screen, margin = 24) {
  const room = [(screen.width - 2 * margin) / world.width, (screen.height - 2 * margin) / world.height];
  return centred(world, screen, Math.max(LEAST, Math.min(...room, 1.25)), world.width / 2, world.height / 2);
}

/** The first view: all of it where that can be read, otherwise its beginning (the middle of the first
 *  box is at [x, y]) at a readable size. */
export function first(world, screen, direction, [x, y]) {
  const whole = fit(world, screen);
  if (whole.k >= READABLE) return whole;
  const down = direction === "down";
  const room = down ? (screen.width - 48) / world.width : (screen.height - 48) / world.height;
  const k = Math.min(1, Math.max(READABLE, room));
  return down ? { k, x: screen.width / 2 - x * k, y: 44 } : { k, x: 32, y: screen.height / 2 - y * k };
}

/** The camera of scale k with a point of the world in the middle of the screen. */
export function centred(world, screen, k, x, y) {
  return { k, x: screen.width / 2 - x * k, y: screen.height / 2 - y * k };
}

/** Zooms by a factor; the world under the screen's (sx, sy) stays there. */
export function zoomAt(camera, factor, sx, sy) {
  const k = Math.min(MOST, Math.max(LEAST, camera.k * factor));
  const real = k / camera.k;
  return { k, x: sx - (sx - camera.x) * real, y: sy - (sy - camera.y) * real };
}

/** Keeps at least a corner of the drawing on the screen. */
export function clamp(camera, world, screen, keep = 60) {
  const hold = (at, size, room) => Math.min(room - keep, Math.max(keep - size, at));
  return {
    k: camera.k,
    x: hold(camera.x, world.width * camera.k, screen.width),
    y: hold(camera.y, world.height * camera.k, screen.height),
  };
}

/** The least move that brings a box well into the screen; the same camera when it is there. */
export function reveal(camera, box, screen) {
  const k = Math.max(camera.k, READABLE);
  const grown = k === camera.k ? camera : zoomAt(camera, k / camera.k, screen.width / 2, screen.height / 2);
  const move = (at, size, room) => {
    const pad = Math.min(90, room / 5);
    if (size > room - 2 * pad) return at < pad - size + room / 2 || at > pad ? pad - at : 0;
    if (at < pad) return pad - at;
    return at + size > room - pad ? room - pad - size - at : 0;
  };
  const dx = move(box.x * k + grown.x, box.w * k, screen.width);
  const dy = move(box.y * k + grown.y, box.h * k, screen.height);
  return { k, x: grown.x + dx, y: grown.y + dy };
}

/** How much is written at this scale: 0 nothing, 1 titles, 2 all words, 3 shapes on edges too. */
export function detail(k) {
  if (k < 0.38) return 0;
  if (k < 0.58) return 1;
  return k < 0.7 ? 2 : 3;
}
