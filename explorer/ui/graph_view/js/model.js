// The arrangement as sent by Python (see Arrangement.to_dict), indexed for drawing and walking.

/** Boxes, lines and routes with names, and who is connected to whom. */
export function decode(view) {
  const boxes = view.boxes.map((raw, index) => ({
    index,
    id: raw.i,
    parent: raw.p ?? "",
    kind: raw.k,
    title: raw.t,
    subtitle: raw.s ?? "",
    x: raw.r[0], y: raw.r[1], w: raw.r[2], h: raw.r[3],
    count: raw.n ?? 1,
    openable: raw.o !== undefined,
    open: raw.o === 1,
    aliases: raw.a ?? [],
    shapeIn: raw.in ?? "",
    shapeOut: raw.out ?? "",
    params: raw.v[0], macs: raw.v[1], bytes: raw.v[2],
    mix: raw.m ?? [],
    into: [], outOf: [], depth: 0,
  }));
  const byId = new Map();
  for (const box of boxes) {
    for (const alias of box.aliases) byId.set(alias, box);
  }
  for (const box of boxes) byId.set(box.id, box); // an own id wins over an alias
  for (const box of boxes) {
    box.depth = box.parent ? byId.get(box.parent).depth + 1 : 0;
  }
  const routes = view.routes.map((raw) => {
    const points = [];
    for (let at = 1; at < raw.length; at += 2) points.push([raw[at], raw[at + 1]]);
    return { skip: raw[0] === 1, points };
  });
  const lines = view.lines.map(([source, target, shape, labelled, ...through], index) => {
    const line = {
      index, source: boxes[source], target: boxes[target], routes: through,
      shape: shape || boxes[source].shapeOut, labelled: labelled === 1,
      skip: through.some((route) => routes[route].skip),
    };
    line.source.outOf.push(line);
    line.target.into.push(line);
    return line;
  });
  return {
    boxes, byId, routes, lines, direction: view.direction, name: view.model,
    width: view.size[0], height: view.size[1], hidden: view.hidden ?? [],
  };
}

/** The open boxes around a box, outermost first, and the box itself. */
export function trail(model, box) {
  const found = [];
  for (let at = box; at; at = model.byId.get(at.parent)) {
    found.unshift(at);
    if (!at.parent) break;
  }
  return found;
}

/** Whether `box` lies in `holder` (or is it). */
export function isInside(model, box, holder) {
  for (let at = box; at; at = at.parent ? model.byId.get(at.parent) : null) {
    if (at === holder) return true;
  }
  return false;
}

/** The closed boxes that a box stands for: itself, or all inside an open one. */
export function leaves(model, box) {
  if (!box.open) return [box];
  return model.boxes.filter((other) => !other.open && isInside(model, other, box));
}

/** All lines on the way from a box to the output (forward) or from the input to it. */
export function reach(model, box, forward) {
  const start = leaves(model, box);
  const seen = new Set(start);
  const lines = new Set();
  const queue = [...start];
  while (queue.length) {
    const at = queue.pop();
    for (const line of forward ? at.outOf : at.into) {
      lines.add(line);
      const next = forward ? line.target : line.source;
      if (!seen.has(next)) {
        seen.add(next);
        queue.push(next);
      }
    }
  }
  return { boxes: seen, lines };
}

/** The box that one step from `box` leads to: "next", "previous", "before" or "after" (sideways). */
export function step(model, box, way) {
  if (way === "next" || way === "previous") return along(model, box, way === "next");
  const across = model.direction === "down" ? ["x", "w", "y", "h"] : ["y", "h", "x", "w"];
  const middle = (other, at, size) => other[at] + other[size] / 2;
  const sign = way === "after" ? 1 : -1;
  let best = null;
  let least = Infinity;
  for (const other of model.boxes) {
    if (other === box || other.open || isInside(model, other, box)) continue;
    const aside = sign * (middle(other, across[0], across[1]) - middle(box, across[0], across[1]));
    const off = Math.abs(middle(other, across[2], across[3]) - middle(box, across[2], across[3]));
    if (aside <= 4 || off > (box[across[3]] + other[across[3]]) / 2 + 40) continue;
    const cost = aside + 2 * off;
    if (cost < least) [best, least] = [other, cost];
  }
  return best;
}

function along(model, box, forward) {
  if (box.open && forward) {
    return model.boxes.find((other) => !other.open && isInside(model, other, box)) ?? null;
  }
  const start = box.open ? leaves(model, box).slice(0, 1) : [box];
  const lines = start.flatMap((at) => (forward ? at.outOf : at.into));
  if (!lines.length) return null;
  // The main way first; among skip edges the nearest.
  const rank = (line) => (line.skip ? 1e6 : 0) + Math.abs(line.target.index - line.source.index);
  const line = lines.reduce((best, other) => (rank(other) < rank(best) ? other : best));
  return forward ? line.target : line.source;
}

/** Everything that matches all words of a query: visible boxes first in order, then hidden ones. */
export function search(model, query) {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return [];
  const fits = (...texts) => {
    const text = texts.join(" ").toLowerCase();
    return wanted.every((word) => text.includes(word));
  };
  const hits = [];
  for (const box of model.boxes) {
    if (fits(box.id, box.title, box.subtitle, box.kind, box.shapeOut, ...box.aliases)) {
      hits.push({ id: box.id, title: box.title, box, hidden: false });
    }
  }
  for (const [id, title, holder] of model.hidden) {
    if (fits(id, title)) hits.push({ id, title, box: model.byId.get(holder), hidden: true });
  }
  return hits;
}
