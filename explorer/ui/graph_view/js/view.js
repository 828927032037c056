// The view: one instance per mounted component; it owns the camera, the selection and the drawing.

import { centred, clamp, detail, first, fit, reveal, zoomAt } from "./camera.js";
import { facts, fillColours, fillCrumbs, fillHits, fillLegend, fillTip, frame } from "./chrome.js";
import { ink, KIND_NAMES, kindColour, logScale, luminance, mix, ramp } from "./colour.js";
import { save } from "./export.js";
import { listen } from "./gestures.js";
import { Minimap } from "./minimap.js";
import { decode, leaves, reach, search, step, trail } from "./model.js";
import { edgePaths, markup, sheet, svgDocument } from "./paint.js";

const BEYOND = 0.6; // what is painted on each side of the stage, in stages

export class GraphView {
  constructor(parent) {
    this.parent = parent;
    this.camera = { k: 1, x: 0, y: 0 };
    this.sent = 0;
    this.selected = null;
    this.hits = [];
    this.at = -1;
    this.pending = null; // what to do when the next arrangement arrives
  }

  /** Takes what Python sent; draws again only what changed. */
  update(data) {
    if (JSON.stringify(data.text) !== this.words) this.build(data);
    this.data = data;
    this.parts.root.style.setProperty("--height", `${data.height}px`);
    const themed = this.readTheme();
    const drawn = data.digest !== this.digest;
    if (drawn) {
      this.digest = data.digest;
      this.model = decode(JSON.parse(data.view));
      this.nodes = null;
    }
    // An answer to an older event must not take back what was chosen since.
    const current = (data.seen ?? 0) >= this.sent;
    if (current || this.colour === undefined) {
      const known = data.metrics.some((metric) => metric.id === data.colour);
      this.colour = known ? data.colour : "kind";
    }
    if (drawn || themed) this.draw();
    fillColours(this.parts.colour, data.metrics, data.text, this.colour);
    this.parts.depth.textContent = data.depth === null ? "–" : `${data.depth}/${data.levels}`;
    this.paint();
    const wanted = current ? data.selected ?? null : this.selected;
    if (drawn) this.look(wanted);
    else if (wanted !== this.selected) this.select(wanted, { tell: false, move: true });
    if (drawn) this.select(wanted, { tell: false });
    if (drawn && this.parts.search.value) this.find(this.parts.search.value, true);
  }

  build(data) {
    this.stop?.();
    this.parts?.root.remove();
    this.words = JSON.stringify(data.text);
    const parts = (this.parts = frame(data.text, {
      search: (query) => this.find(query), searchKey: (event) => this.searchKey(event),
      hit: (by) => this.hit(this.at + by), zoom: (by) => this.zoom(by), fit: () => this.fit(),
      depth: (depth) => this.ask({ type: "expand", depth }), depthBy: (by) => this.ask({ type: "expand", depth: this.depthBy(by) }),
      colour: (name) => this.recolour(name), save: (kind) => this.save(kind), full: () => this.full(),
    }));
    parts.stage.innerHTML =
      '<svg class="canvas" xmlns="http://www.w3.org/2000/svg"><style></style><g class="world"></g></svg>';
    [this.svg, this.style, this.world] = ["svg", "style", ".world"].map((name) => parts.stage.querySelector(name));
    this.parent.append(parts.root);
    this.map = new Minimap(parts.map, (x, y) => {
      this.move(centred(this.camera, this.screen(), this.camera.k, x, y));
    });
    const unlisten = listen(parts.stage, {
      camera: () => this.camera, move: (camera) => this.move(camera),
      tap: (event) => this.tap(event), doubleTap: (event) => this.doubleTap(event), hover: (event) => this.hover(event),
    });
    parts.stage.addEventListener("keydown", (event) => this.key(event));
    parts.stage.addEventListener("follow", ({ detail: { k, x, y } }) =>
      this.move(centred(this.model, this.screen(), k, x * this.model.width, y * this.model.height), true));
    const watch = new ResizeObserver(() => this.resized());
    watch.observe(parts.stage);
    const print = () => {
      this.move(fit(this.model, this.screen()));
      this.rest();
    };
    window.addEventListener("beforeprint", print);
    this.stop = () => {
      unlisten();
      watch.disconnect();
      window.removeEventListener("beforeprint", print);
      cancelAnimationFrame(this.frame);
      clearTimeout(this.resting);
    };
    this.digest = undefined;
  }

  readTheme() {
    const css = getComputedStyle(this.parts.root);
    const read = (name, or) => css.getPropertyValue(name).trim() || or;
    const bg = read("--st-background-color", "#ffffff");
    const theme = {
      bg: mix(bg, bg, 1), fg: mix(read("--st-text-color", "#31333f"), bg, 1),
      primary: mix(read("--st-primary-color", "#2f66d0"), bg, 1), dark: luminance(bg) < 0.2,
      font: read("--st-font", "sans-serif").replace(/["<>&]/g, "'") || "sans-serif",
    };
    const changed = JSON.stringify(theme) !== JSON.stringify(this.theme);
    this.theme = theme;
    this.parts.root.classList.toggle("dark", theme.dark);
    return changed;
  }

  draw() {
    this.style.textContent = sheet(this.theme);
    this.world.innerHTML = markup(this.model, this.theme);
    this.nodes = [];
    for (const node of this.world.querySelectorAll("[data-i]")) this.nodes[Number(node.dataset.i)] = node;
    this.lit = this.world.querySelector(".lit");
    this.ring = this.world.querySelector(".ring");
    this.marks = this.world.querySelector(".marks");
  }

  /** Where to look after a new drawing arrived. */
  look(wanted) {
    const { pending, model } = this;
    const screen = this.screen();
    this.pending = null;
    const box = pending?.id !== undefined ? model.byId.get(pending.id) : undefined;
    if (pending?.kind === "anchor" && box) {
      const { k } = this.camera;
      const [x, y] = handle(box);
      this.move({ k, x: pending.x - x * k, y: pending.y - y * k });
    } else {
      const seen = model.byId.get(wanted ?? "");
      const { x, y, w, h } = model.boxes[0];
      this.move(first(model, screen, model.direction, [x + w / 2, y + h / 2]));
      if (seen) this.move(reveal(this.camera, seen, screen));
    }
    this.rest();
  }

  // Camera

  screen() {
    return { width: this.parts.stage.clientWidth || 800, height: this.parts.stage.clientHeight || 600 };
  }

  move(camera, follows = false) {
    const [screen, world] = [this.screen(), this.model];
    const { k, x, y } = (this.camera = clamp(camera, world, screen));
    const detail = { k, x: (screen.width / 2 - x) / k / world.width, y: (screen.height / 2 - y) / k / world.height };
    if (!follows) this.parts.stage.dispatchEvent(new CustomEvent("camera", { detail, bubbles: true, composed: true }));
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined;
      if (!this.slide()) this.rest();
      this.map.show(this.camera, this.screen(), this.model);
    });
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.rest(), 140);
  }

  /** Moves what is painted, which reaches beyond the stage, as one layer: no element is painted again.
   *  Says no where the stage would not be covered or the picture be too coarse. */
  slide() {
    const { k, x, y } = this.camera;
    const { width, height } = this.screen();
    if (!this.base || this.base.width !== width || this.base.height !== height) return false;
    const s = k / this.base.k;
    const [tx, ty] = [x - this.base.x * s, y - this.base.y * s];
    const [mx, my] = [width * BEYOND * s, height * BEYOND * s];
    if (tx > mx || ty > my || tx + width * s + mx < width || ty + height * s + my < height || s > 2.2) return false;
    this.svg.style.transform = `translate(${tx}px, ${ty}px) scale(${s})`;
    return true;
  }

  /** Paints everything where the camera is, sharp, with as many words as can be read. */
  rest() {
    const { k, x, y } = this.camera;
    const { width, height } = this.screen();
    const [mx, my] = [width * BEYOND, height * BEYOND];
    this.base = { k, x, y, width, height };
    Object.assign(this.svg.style, {
      transform: "none", transformOrigin: `${mx}px ${my}px`, left: `${-mx}px`, top: `${-my}px`,
      width: `${width + 2 * mx}px`, height: `${height + 2 * my}px`,
    });
    this.world.setAttribute("transform", `translate(${x + mx} ${y + my}) scale(${k})`);
    const level = String(detail(k));
    if (this.svg.dataset.detail !== level) this.svg.dataset.detail = level;
    if (level === "0") this.marks.style.setProperty("--unit", 1 / k);
    this.parts.stage.dataset.camera = `${x} ${y} ${k}`;
  }

  /** Moves there in a fifth of a second, at once where less motion is wanted. */
  glide(to) {
    cancelAnimationFrame(this.frame);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.move(to);
      return;
    }
    const [from, begin] = [{ ...this.camera }, performance.now()];
    const tick = (now) => {
      const t = Math.min(1, Math.max(0, now - begin) / 200);
      const s = t * t * (3 - 2 * t);
      const k = from.k * (to.k / from.k) ** s;
      this.move({ k, x: from.x + (to.x - from.x) * s, y: from.y + (to.y - from.y) * s });
      if (t < 1) this.frame = requestAnimationFrame(tick);
    };
    this.frame = requestAnimationFrame(tick);
  }

  zoom(by) {
    const { width, height } = this.screen();
    this.glide(zoomAt(this.camera, by, width / 2, height / 2));
  }

  fit() {
    this.glide(fit(this.model, this.screen()));
  }

  /** What was in the middle stays there. */
  resized() {
    if (!this.nodes || !this.base) return;
    const { width, height } = this.screen();
    const [dx, dy] = [(width - this.base.width) / 2, (height - this.base.height) / 2];
    if (dx || dy) this.move({ ...this.base, x: this.base.x + dx, y: this.base.y + dy });
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.parts.root.requestFullscreen?.();
  }

  // Selection

  boxAt(event) {
    const node = event.target.closest?.("[data-i]");
    return node ? this.model.boxes[Number(node.dataset.i)] : null;
  }

  tap(event) {
    const box = this.boxAt(event);
    if (box && event.target.closest(".toggle")) this.toggle(box, event.shiftKey);
    else this.select(box?.id ?? null, {});
  }

  doubleTap(event) {
    const box = this.boxAt(event);
    if (box?.openable) this.toggle(box, event.shiftKey);
    else if (!box) this.zoom(1.6);
  }

  select(id, { tell = true, move = false }) {
    const box = id === null ? undefined : this.model.byId.get(id);
    this.selected = box ? box.id : null;
    this.ring.replaceChildren();
    this.lit.replaceChildren();
    const dim = new Set();
    if (box) {
      const [up, down] = [reach(this.model, box, false), reach(this.model, box, true)];
      const own = new Set(leaves(this.model, box));
      this.light("up", [...up.lines]);
      this.light("down", [...down.lines]);
      this.light("direct", this.model.lines.filter((line) => own.has(line.source) !== own.has(line.target)));
      for (const other of this.model.boxes) {
        if (!other.open && !up.boxes.has(other) && !down.boxes.has(other)) dim.add(other.index);
      }
      this.ring.innerHTML = `<rect x="${box.x - 4}" y="${box.y - 4}" width="${box.w + 8}" height="${box.h + 8}" rx="${box.open ? 13 : 10}"/>`;
    }
    this.model.boxes.forEach((other) => {
      if (!other.open) this.nodes[other.index].classList.toggle("dim", dim.has(other.index));
    });
    fillCrumbs(this.parts.crumbs, this.model.name, box ? trail(this.model, box) : [], (to) => this.select(to, { move: true }));
    this.parts.stage.dataset.selected = this.selected ?? "";
    if (box) {
      const words = facts(box, this.data.metrics, this.data.text, (metric, of) => this.value(metric, of));
      this.parts.live.textContent = [box.title, box.id, ...words.map((row) => row.join(" "))].join(", ");
      if (move) this.glide(reveal(this.camera, box, this.screen()));
    }
    if (tell) this.tell({ type: "select", id: this.selected });
  }

  light(name, lines) {
    const paths = edgePaths(this.model, lines);
    const add = (kind, d) => {
      if (!d) return;
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("class", `${name} ${kind}`);
      path.setAttribute("d", d);
      this.lit.append(path);
    };
    add("line", name === "direct" ? paths.main + paths.skip : paths.main);
    if (name === "direct") add("tips", paths.mainHeads + paths.skipHeads);
  }

  // Python

  tell(event) {
    this.sent = Math.max(Date.now(), this.sent + 1);
    this.send({ ...event, n: this.sent });
  }

  toggle(box, deep = false) {
    if (!box.openable) return;
    const [x, y] = handle(box);
    const { k } = this.camera;
    this.pending = { kind: "anchor", id: box.id, x: x * k + this.camera.x, y: y * k + this.camera.y };
    this.ask({ type: "toggle", id: box.id, deep });
  }

  /** Asks for other boxes; the pointer says so until they are here. */
  ask(event) {
    this.parts.root.classList.add("busy");
    this.tell(event);
  }

  depthBy(by) {
    const { depth, levels } = this.data;
    return Math.max(0, Math.min(levels, (depth ?? (by > 0 ? 0 : levels)) + by));
  }

  // Keys

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const down = this.model.direction === "down";
    const ways = down
      ? { ArrowDown: "next", ArrowUp: "previous", ArrowLeft: "before", ArrowRight: "after" }
      : { ArrowRight: "next", ArrowLeft: "previous", ArrowUp: "before", ArrowDown: "after" };
    const pans = { ArrowDown: [0, -80], ArrowUp: [0, 80], ArrowLeft: [80, 0], ArrowRight: [-80, 0] };
    const box = this.selected === null ? null : this.model.byId.get(this.selected);
    const ends = this.model.boxes.filter((other) => !other.open);
    const go = (to) => to && this.select(to.id, { move: true });
    const actions = {
      "+": () => this.zoom(1.3), "=": () => this.zoom(1.3), "-": () => this.zoom(1 / 1.3), 0: () => this.fit(),
      "/": () => this.parts.search.focus(), Escape: () => this.select(null, {}),
      Enter: () => box && this.toggle(box, event.shiftKey), n: () => this.hit(this.at + 1), p: () => this.hit(this.at - 1),
      Home: () => go(ends[0]), End: () => go(ends[ends.length - 1]),
    };
    if (event.key in ways) {
      if (box) go(step(this.model, box, ways[event.key]));
      else this.move({ ...this.camera, x: this.camera.x + pans[event.key][0], y: this.camera.y + pans[event.key][1] });
    } else if (event.key in actions) actions[event.key]();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // Search

  find(query, quiet = false) {
    for (const hit of this.hits) if (hit.box) this.nodes[hit.box.index]?.classList.remove("hit");
    this.hits = search(this.model, query);
    this.at = quiet ? this.hits.findIndex((hit) => hit.id === this.selected) : -1;
    for (const hit of this.hits) if (hit.box) this.nodes[hit.box.index]?.classList.add("hit");
    this.listHits(query && !quiet);
  }

  listHits(show) {
    this.parts.count.textContent = this.parts.search.value ? `${this.at + 1}/${this.hits.length}` : "";
    this.parts.hits.classList.toggle("shown", Boolean(show) && this.hits.length > 0);
    fillHits(this.parts.hits, this.hits, this.at, (place) => this.hit(place));
  }

  hit(place) {
    if (!this.hits.length) return;
    this.at = (place + this.hits.length) % this.hits.length;
    const hit = this.hits[this.at];
    this.listHits(this.parts.search.matches(":focus"));
    if (hit.hidden) {
      this.ask({ type: "reveal", id: hit.id });
    } else this.select(hit.id, { move: true });
  }

  searchKey(event) {
    event.stopPropagation();
    const moves = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 };
    if (event.key in moves) {
      event.preventDefault();
      this.hit(this.at + moves[event.key]);
    } else if (event.key === "Escape") {
      this.parts.search.value = "";
      this.find("");
      this.parts.stage.focus();
    }
  }

  // Colours

  value(metric, box) {
    if (metric.field) return box[metric.field];
    return metric.values[box.id] ?? box.aliases.map((alias) => metric.values[alias]).find((value) => value !== undefined);
  }

  recolour(name) {
    this.colour = name;
    this.paint();
    this.tell({ type: "colour", id: name });
  }

  paint() {
    const { model, theme, data } = this;
    const metric = data.metrics.find((other) => other.id === this.colour);
    const shown = model.boxes.filter((box) => !box.open && box.kind !== "boundary");
    this.fills = null;
    let scale = null;
    if (metric) {
      scale = logScale(shown.map((box) => this.value(metric, box) ?? 0));
      this.fills = new Map();
      for (const box of shown) {
        const share = scale.empty ? null : scale.share(this.value(metric, box));
        const face = share === null ? theme.bg : ramp(share, theme.dark);
        this.fills.set(box.index, { face, ink: share === null ? theme.fg : ink(face) });
      }
    }
    for (const box of shown) {
      const fill = this.fills?.get(box.index);
      for (const part of this.nodes[box.index].querySelectorAll(".face, .title, .sub")) {
        part.style.fill = fill ? (part.classList.contains("face") ? fill.face : fill.ink) : "";
      }
    }
    const found = new Set(shown.flatMap((box) => (box.openable ? box.mix.map(([kind]) => kind) : [box.kind])));
    const kinds = KIND_NAMES.filter((kind) => found.has(kind)).map((kind) => [kind, data.kinds[kind] ?? kind]);
    fillLegend(this.parts.legend, { kinds, metric, scale, theme, text: data.text });
    this.map.draw(model, (box) => this.fills?.get(box.index)?.face ?? this.kindOf(box), theme);
    this.map.show(this.camera, this.screen(), model);
    this.parts.root.classList.remove("busy");
  }

  /** A closed module takes the colour of the kind that it holds most of. */
  kindOf(box) {
    return kindColour(box.mix[0]?.[0] ?? box.kind, this.theme);
  }

  // Tooltip and files

  hover(event) {
    const { tip, view } = this.parts;
    const box = event ? this.boxAt(event) : null;
    const header = box?.open && event.target.classList.contains("ground");
    tip.classList.toggle("shown", Boolean(box) && !header);
    if (!box || header) return;
    if (tip.dataset.id !== box.id) {
      tip.dataset.id = box.id;
      fillTip(tip, box, facts(box, this.data.metrics, this.data.text, (metric, of) => this.value(metric, of)));
    }
    const area = view.getBoundingClientRect();
    const x = Math.min(event.clientX - area.left + 16, area.width - tip.offsetWidth - 8);
    const below = event.clientY - area.top + 18;
    const y = below + tip.offsetHeight > area.height - 8 ? below - tip.offsetHeight - 32 : below;
    tip.style.transform = `translate(${Math.max(4, x)}px, ${Math.max(4, y)}px)`;
  }

  save(kind) {
    return save(kind, this.model, svgDocument(this.model, this.theme, this.fills, `${this.model.name} – ${this.data.text.graph}`));
  }
}

/** The point of a box that stays where it is when it opens or closes: its ± button. */
function handle(box) {
  return [box.x + box.w - 16, box.y + 15];
}
