// Everything around the drawing: toolbar, search, legend, breadcrumb, tooltip. Words come from Python.

import { kindColour, ramp, si, ticks } from "./colour.js";

const ICONS = {
  plus: "M8 3V13M3 8H13", minus: "M3 8H13", fit: "M2 6V2H6M10 2H14V6M14 10V14H10M6 14H2V10",
  full: "M2 2L6 6M2 2H5M2 2V5M14 14L10 10M14 14H11M14 14V11M14 2L10 6M14 2H11M14 2V5M2 14L6 10M2 14H5M2 14V11",
  up: "M3 10L8 5L13 10", down: "M3 6L8 11L13 6",
  all: "M8 1V6M5.5 3.5L8 1L10.5 3.5M2 8H14M8 15V10M5.5 12.5L8 15L10.5 12.5",
  none: "M8 1V6M5.5 3.5L8 6L10.5 3.5M2 8H14M8 15V10M5.5 12.5L8 10L10.5 12.5",
};

/** An element with attributes and children; text is set as text, never as markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function button(icon, label, action) {
  const made = make("button", { type: "button", title: label, "aria-label": label, onclick: action });
  // Our own constant paths: nothing from outside becomes markup here.
  made.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  return made;
}

/** The frame of the component; `act` holds the actions by name. Returns the parts by name. */
export function frame(text, act) {
  const parts = {};
  parts.search = make("input", {
    type: "search", placeholder: text.search, "aria-label": text.search, spellcheck: "false",
    oninput: () => act.search(parts.search.value), onkeydown: (event) => act.searchKey(event),
  });
  parts.count = make("span", { class: "count", role: "status" });
  parts.hits = make("ul", { class: "hits", role: "listbox", "aria-label": text.hits });
  const find = make("div", { class: "find" }, parts.search, parts.count,
    button("up", text.previous_hit, () => act.hit(-1)), button("down", text.next_hit, () => act.hit(1)), parts.hits);
  parts.depth = make("span", { class: "count" });
  const levels = make("div", { class: "group", role: "group", "aria-label": text.levels },
    button("none", text.close_all, () => act.depth(0)), button("minus", text.fewer_levels, () => act.depthBy(-1)),
    parts.depth,
    button("plus", text.more_levels, () => act.depthBy(1)), button("all", text.open_all, () => act.depth("all")));
  parts.colour = make("select", { "aria-label": text.colour_by, onchange: () => act.colour(parts.colour.value) });
  const colour = make("label", { class: "group" }, make("span", { class: "word" }, text.colour_by), parts.colour);
  const save = make("div", { class: "group save", role: "group", "aria-label": text.export },
    make("button", { type: "button", title: text.export_svg, onclick: () => act.save("svg") }, "SVG"),
    make("button", { type: "button", title: text.export_png, onclick: () => act.save("png") }, "PNG"));
  parts.bar = make("div", { class: "bar" }, find, levels, colour, save);
  parts.crumbs = make("nav", { class: "crumbs", "aria-label": text.breadcrumb });
  parts.stage = make("div", {
    class: "stage", tabindex: "0", role: "application", "aria-label": text.graph,
    "aria-description": text.keys, title: "",
  });
  parts.tip = make("div", { class: "tip", role: "tooltip" });
  parts.legend = make("div", { class: "legend" });
  parts.map = make("div", { class: "map", "aria-hidden": "true" }, make("canvas"), make("div", { class: "frame" }));
  parts.live = make("div", { class: "live", "aria-live": "polite" });
  const zoom = make("div", { class: "zoom" }, button("plus", text.zoom_in, () => act.zoom(1.3)),
    button("minus", text.zoom_out, () => act.zoom(1 / 1.3)), button("fit", text.fit, () => act.fit()),
    button("full", text.full_screen, () => act.full()));
  parts.view = make("div", { class: "view" }, parts.stage, parts.crumbs, parts.legend,
    make("div", { class: "corner" }, parts.map, zoom), parts.tip);
  parts.root = make("div", { class: "graph-view" }, parts.bar, parts.view, parts.live);
  return parts;
}

/** The choices of colouring; the present one chosen. */
export function fillColours(select, metrics, text, chosen) {
  const choices = [{ id: "kind", label: text.kind }, ...metrics];
  select.replaceChildren(...choices.map(({ id, label }) => make("option", { value: id }, label)));
  select.value = chosen;
}

/** Which colour means what: kinds that occur, or a scale with units. */
export function fillLegend(root, { kinds, metric, scale, theme, text }) {
  if (!metric) {
    root.replaceChildren(...kinds.map(([kind, label]) => {
      const swatch = make("i");
      swatch.style.background = kindColour(kind, theme);
      return make("span", { class: "entry" }, swatch, label);
    }));
    return;
  }
  const title = make("b", {}, metric.unit ? `${metric.label} (${metric.unit})` : metric.label);
  if (scale.empty) {
    root.replaceChildren(title, make("span", {}, text.no_values));
    return;
  }
  const strip = make("div", { class: "strip" });
  const stops = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => ramp(share, theme.dark));
  strip.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
  const axis = make("div", { class: "axis" }, ...ticks(scale).map((value) => {
    const tick = make("span", {}, si(value, metric.si ?? ""));
    tick.style.left = `${100 * scale.share(value)}%`;
    return tick;
  }));
  root.replaceChildren(title, make("div", { class: "scale" }, strip, axis), make("small", {}, text.log_scale));
}

/** Where the selected box is; every part can be chosen. */
export function fillCrumbs(root, name, boxes, choose) {
  const parts = [make("button", { type: "button", onclick: () => choose(null) }, name)];
  let above = ".";
  boxes.forEach((box, at) => {
    const label = box.kind === "fold" ? `×${box.count}` : box.kind === "boundary" ? box.title : box.id;
    const short = label.startsWith(above) ? label.slice(above.length) : label;
    if (box.kind !== "fold") above = `${box.id}.`;
    parts.push(make("span", { "aria-hidden": "true" }, "›"), make("button", {
      type: "button", title: label, onclick: () => choose(box.id),
      "aria-current": at === boxes.length - 1 ? "true" : undefined,
    }, short));
  });
  root.replaceChildren(...parts);
}

/** The found boxes as a list; the present one marked. */
export function fillHits(root, hits, at, choose) {
  root.replaceChildren(...hits.slice(0, 60).map((hit, place) => make("li", {
    role: "option", "aria-selected": String(place === at), class: hit.hidden ? "inside" : undefined,
    onpointerdown: (event) => {
      event.preventDefault();
      choose(place);
    },
  }, make("b", {}, hit.title), make("span", {}, hit.id))));
  root.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
}

/** What there is to say about a box: pairs of label and value. */
export function facts(box, metrics, text, valueOf) {
  const rows = [];
  if (box.shapeIn && box.kind !== "boundary") rows.push([text.input, box.shapeIn]);
  if (box.shapeOut) rows.push([text.output, box.shapeOut]);
  for (const metric of metrics) {
    const value = valueOf(metric, box);
    if (value > 0) {
      const words = si(value, metric.si ?? "");
      rows.push([metric.label, metric.unit && !metric.si ? `${words} ${metric.unit}` : words]);
    }
  }
  return rows;
}

export function fillTip(root, box, rows) {
  const list = make("dl", {}, ...rows.flatMap(([label, value]) => [make("dt", {}, label), make("dd", {}, value)]));
  const count = box.count > 1 ? ` ×${box.count}` : "";
  root.replaceChildren(make("b", {}, box.title + count), make("span", {}, box.id), list);
}
