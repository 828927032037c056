// The drawing as SVG markup. The page and the exported file are made by the same functions.

import { KIND_NAMES, kindColour, mix } from "./colour.js";

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ESCAPES[c]);
const near = (value) => Math.round(value * 10) / 10;

/** A polyline with rounded corners, as a path. */
export function polyline(points, radius = 7) {
  let path = `M${points[0][0]} ${points[0][1]}`;
  for (let at = 1; at < points.length - 1; at += 1) {
    const [[ax, ay], [bx, by], [cx, cy]] = [points[at - 1], points[at], points[at + 1]];
    const [before, after] = [Math.hypot(bx - ax, by - ay), Math.hypot(cx - bx, cy - by)];
    const r = Math.min(radius, before / 2, after / 2);
    if (r < 0.5) {
      path += `L${bx} ${by}`;
      continue;
    }
    const [px, py] = [near(bx - ((bx - ax) / before) * r), near(by - ((by - ay) / before) * r)];
    const [qx, qy] = [near(bx + ((cx - bx) / after) * r), near(by + ((cy - by) / after) * r)];
    path += `L${px} ${py}Q${bx} ${by} ${qx} ${qy}`;
  }
  const end = points[points.length - 1];
  return `${path}L${end[0]} ${end[1]}`;
}

/** An arrowhead at the end of a polyline. */
export function head(points, size = 5.5) {
  const [bx, by] = points[points.length - 1];
  let at = points.length - 2;
  while (at > 0 && points[at][0] === bx && points[at][1] === by) at -= 1;
  const [ax, ay] = points[at];
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const [mx, my] = [bx - ux * size, by - uy * size];
  const half = size * 0.62;
  return `M${bx} ${by}L${near(mx - uy * half)} ${near(my + ux * half)}L${near(mx + uy * half)} ${near(my - ux * half)}Z`;
}

/** The paths of all main routes, all skip routes and the heads of both, each once. */
export function edgePaths(model, lines = model.lines) {
  const seen = new Set();
  const parts = { main: "", skip: "", mainHeads: "", skipHeads: "" };
  for (const line of lines) {
    for (const index of line.routes) {
      if (seen.has(index)) continue;
      seen.add(index);
      const route = model.routes[index];
      if (route.points.length > 1) parts[route.skip ? "skip" : "main"] += polyline(route.points);
    }
    const last = model.routes[line.routes[line.routes.length - 1]];
    const key = `h${last.points[last.points.length - 1]}`;
    if (!seen.has(key) && last.points.length > 1) {
      seen.add(key);
      parts[last.skip ? "skipHeads" : "mainHeads"] += head(last.points);
    }
  }
  return parts;
}

/** Everything inside the moving group. `interactive` adds what only a screen needs; `fills` holds the
 *  colours, by box index, that replace those of the kinds. */
export function markup(model, theme, { interactive = true, fills = null } = {}) {
  const paths = edgePaths(model);
  const open = model.boxes.filter((box) => box.open);
  const closed = model.boxes.filter((box) => !box.open);
  return [
    '<g class="containers">', ...open.map((box) => container(box, interactive)), "</g>",
    `<path class="skip" d="${paths.skip}"/><path class="skip-head" d="${paths.skipHeads}"/>`,
    `<path class="edge" d="${paths.main}"/><path class="head" d="${paths.mainHeads}"/>`,
    '<g class="lit"></g>',
    '<g class="titles">', ...open.map(header), "</g>",
    '<g class="shapes">', ...shapes(model), "</g>",
    '<g class="boxes">', ...closed.map((box) => card(box, theme, interactive, fills?.get(box.index))), "</g>",
    '<g class="ring"></g>', ...(interactive ? ['<g class="marks">', ...marks(model), "</g>"] : []),
  ].join("");
}

function container(box, interactive) {
  const kind = box.kind === "fold" ? " fold" : "";
  return (
    `<g class="container d${box.depth % 4}${kind}" data-i="${box.index}">` +
    `<rect class="ground" x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="10"/>` +
    (interactive ? toggle(box.x + box.w - 16, box.y + 15, true) : "") + "</g>"
  );
}

function header(box) {
  const title = box.count > 1 ? `×${box.count} ${box.title}` : box.title;
  const room = Math.floor((box.w - 50 - title.length * 7.1) / 5.9); // characters before the button
  const said = box.subtitle.length > room ? `${box.subtitle.slice(0, Math.max(room - 1, 0))}…` : box.subtitle;
  const where = `<tspan class="where" dx="7">${escape(said)}</tspan>`;
  return `<text class="name" x="${box.x + 12}" y="${box.y + 19}">${escape(title)}${where}</text>`;
}

function card(box, theme, interactive, fill) {
  const paint = fill ? [` style="fill:${fill.face}"`, ` style="fill:${fill.ink}"`] : ["", ""];
  const { w, h } = box;
  const round = box.kind === "boundary" ? h / 2 : 6;
  let parts = "";
  if (box.count > 1) {
    for (const off of [7, 3.5]) {
      parts += `<rect class="face behind" x="${off}" y="${off}" width="${w}" height="${h}" rx="6"${paint[0]}/>`;
    }
  }
  parts += `<rect class="face" width="${w}" height="${h}" rx="${round}"${paint[0]}/>`;
  const middle = box.openable && interactive ? (w - 24) / 2 : w / 2;
  const two = box.subtitle !== "";
  const title = box.count > 1 ? `${box.title} ×${box.count}` : box.title;
  const base = box.openable ? 18 : two ? h / 2 - 3 : h / 2 + 4.2;
  parts += `<text class="title" x="${middle}" y="${base}"${paint[1]}>${escape(title)}</text>`;
  if (two) parts += `<text class="sub" x="${middle}" y="${base + 14.5}"${paint[1]}>${escape(box.subtitle)}</text>`;
  if (box.mix.length) parts += mixBar(box, theme);
  if (box.openable && interactive) parts += toggle(w - 15, 16, false);
  return (
    `<g class="box k-${box.kind}" data-i="${box.index}" transform="translate(${box.x} ${box.y})">${parts}</g>`
  );
}

/** What a closed module is made of: one bar, a part per kind of op. */
function mixBar(box, theme) {
  const total = box.mix.reduce((sum, [, ops]) => sum + ops, 0);
  const width = box.w - 16;
  let x = 8;
  return box.mix.map(([kind, ops]) => {
    const part = (width * ops) / total;
    const rect = `<rect class="mix" x="${near(x)}" y="${box.h - 9}" width="${near(Math.max(0.8, part - 1))}" height="4" rx="1.5" fill="${kindColour(kind, theme)}"/>`;
    x += part;
    return rect;
  }).join("");
}

function toggle(x, y, open) {
  const cross = open ? "" : `M${x} ${y - 4}V${y + 4}`;
  return `<g class="toggle"><circle cx="${x}" cy="${y}" r="8.5"/><path d="M${x - 4} ${y}H${x + 4}${cross}"/></g>`;
}

/** Names of the top modules beside the drawing, for when it is too small to read; always of one size. */
function marks(model) {
  const down = model.direction === "down";
  const long = (down ? model.height : model.width) / 30;
  return model.boxes.filter((box) => box.open && !box.parent && (down ? box.h : box.w) > long).map((box) => {
    const [x, y] = down ? [box.x + box.w, box.y + box.h / 2] : [box.x + box.w / 2, box.y + box.h];
    const anchor = down ? 'x="10" dy="0.35em"' : 'y="18" text-anchor="middle"';
    return `<text ${anchor} style="transform:translate(${x}px,${y}px) scale(var(--unit))">${escape(box.title)}</text>`;
  });
}

function shapes(model) {
  const [taken, found, down] = [[], [], model.direction === "down"];
  for (const line of model.lines.filter((one) => one.labelled)) {
    const { points } = model.routes[line.routes[line.routes.length - 1]];
    const [bx, by] = points[points.length - 1];
    const [y, wide] = [down ? by - 8 : by - 5, line.shape.length * 5.6 + 4];
    // Where edges end close together the second is written on its left; what still covers another is left out.
    for (const end of down ? [false, true] : [true]) {
      const x = end ? bx - (down ? 5 : 8) : bx + 5;
      const from = end ? x - wide : x;
      if (taken.some(([l, r, t]) => Math.abs(t - y) < 10 && l < from + wide && from < r)) continue;
      taken.push([from, from + wide, y]);
      found.push(`<text class="shape${end ? " end" : ""}" x="${x}" y="${y}">${escape(line.shape)}</text>`);
      break;
    }
  }
  return found;
}

/** The drawing's own style sheet, with literal colours, so that an exported file needs nothing else. */
export function sheet(theme) {
  const { bg, fg, primary, dark } = theme;
  const grey = (share) => mix(fg, bg, share);
  const kinds = KIND_NAMES.map((kind) => {
    const colour = kindColour(kind, theme);
    // From far away a tint is not seen: boxes are filled.
    return (
      `.k-${kind} .face{fill:${mix(colour, bg, dark ? 0.24 : 0.13)};stroke:${mix(colour, bg, 0.75)}}` +
      `[data-detail="0"] .k-${kind} .face{fill:${mix(colour, bg, 0.75)}}`
    );
  });
  return [
    `text{font-family:${theme.font};fill:${fg}}`,
    `.face{stroke-width:1.2;fill:${grey(dark ? 0.1 : 0.04)};stroke:${grey(0.45)}}`,
    ...kinds,
    `.k-boundary .face{fill:${grey(0.85)};stroke:${fg}}.k-boundary text{fill:${bg}}`,
    ".title{font-size:12.5px;font-weight:600;text-anchor:middle}",
    `.sub{font-size:10.5px;text-anchor:middle;fill:${grey(0.72)}}`,
    `.k-boundary .sub{fill:${mix(bg, fg, 0.8)}}`,
    `.ground{fill:${fg};fill-opacity:${dark ? 0.03 : 0.02};stroke:${grey(0.28)};stroke-width:1}`,
    ".fold .ground{stroke-dasharray:5 4}",
    `.name{font-size:12px;font-weight:600;paint-order:stroke;stroke:${grey(0.03)};stroke-width:4px;stroke-linejoin:round}`,
    `.where{font-size:10.5px;font-weight:400;fill:${grey(0.65)}}`,
    `.edge{fill:none;stroke:${grey(0.55)};stroke-width:1.3}.head{fill:${grey(0.6)}}`,
    `.skip{fill:none;stroke:${mix(primary, bg, 0.45)};stroke-width:1.1}`,
    `.skip-head{fill:${mix(primary, bg, 0.6)}}`,
    `.shape{font-size:9.5px;fill:${grey(0.68)};paint-order:stroke;stroke:${bg};stroke-width:3px;stroke-linejoin:round}`,
    ".end{text-anchor:end}",
    ".marks text{font-size:12px;font-weight:600}",
    `.toggle circle{fill:${bg};stroke:${grey(0.45)}}.toggle path{stroke:${fg};stroke-width:1.6;stroke-linecap:round}`,
  ].join("\n");
}

/** The whole drawing as a file of its own. */
export function svgDocument(model, theme, fills, title) {
  const pad = 24;
  const [width, height] = [model.width + 2 * pad, model.height + 2 * pad];
  const body = markup(model, theme, { interactive: false, fills }).replace(/ data-i="\d+"/g, "");
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
    `viewBox="${-pad} ${-pad} ${width} ${height}"><title>${escape(title)}</title>` +
    `<style>${escape(sheet(theme))}</style><rect x="${-pad}" y="${-pad}" width="${width}" height="${height}" fill="${theme.bg}"/>${body}</svg>\n`
  );
}
