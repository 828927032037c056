// The component's modules without a browser; run by test_modules.py with `node --test`.

import assert from "node:assert/strict";
import test from "node:test";

const here = new URL("../../explorer/ui/graph_view/js/", import.meta.url);
const load = (name) => import(new URL(name, here));
const { decode, isInside, leaves, reach, search, step, trail } = await load("model.js");
const { clamp, detail, first, fit, reveal, zoomAt } = await load("camera.js");
const { ink, logScale, luminance, mix, ramp, rgb, si, ticks } = await load("colour.js");
const { edgePaths, head, markup, polyline, sheet, svgDocument } = await load("paint.js");
const { fileName, pngScale } = await load("export.js");

// input → a → (block: b, c side by side) → d → output, with a skip edge a → d.
const box = (i, x, y, more = {}) => ({ i, k: "convolution", t: i.toUpperCase(), r: [x, y, 100, 40], v: [1, 2, 3], out: "8×4×4", ...more });
const VIEW = {
  model: "timm/made", direction: "down", size: [400, 500], hidden: [["d.inner", "Hidden <op>", "d"]],
  boxes: [
    box("input", 100, 0, { k: "boundary" }), box("a", 100, 60, { a: ["conv2d_0"] }),
    box("block", 20, 120, { k: "module", o: 1, r: [20, 120, 260, 120] }),
    box("block.b", 40, 160, { p: "block" }), box("block.c", 160, 160, { p: "block", t: "ReLU & <co>" }),
    box("d", 100, 260, { k: "module", o: 0, n: 3, m: [["convolution", 3], ["pooling", 1]] }), box("output", 100, 320, { k: "boundary" }),
  ],
  routes: [[0, 150, 40, 150, 60], [0, 150, 100, 150, 130, 90, 130, 90, 160], [0, 150, 100, 150, 130, 210, 130, 210, 160],
    [0, 90, 200, 90, 250, 150, 250, 150, 260], [0, 210, 200, 210, 250, 150, 250, 150, 260], [0, 150, 300, 150, 320],
    [1, 150, 100, 150, 110, 300, 110, 300, 280, 200, 280]],
  lines: [[0, 1, "3×8×8", 0, 0], [1, 3, "", 1, 1], [1, 4, "", 1, 2], [3, 5, "", 0, 3], [4, 5, "", 0, 4], [5, 6, "", 0, 5], [1, 5, "", 0, 6]],
};
const model = decode(VIEW);
const at = (id) => model.byId.get(id);
const THEME = { bg: "#ffffff", fg: "#111111", primary: "#2266cc", dark: false, font: "sans-serif" };
const SCREEN = { width: 800, height: 600 };

test("decode finds boxes by id and alias, joins lines, knows what lies in what", () => {
  assert.equal(at("conv2d_0"), at("a"));
  assert.equal(at("block.b").depth, 1);
  assert.deepEqual(at("a").outOf.map((line) => line.target.id), ["block.b", "block.c", "d"]);
  assert.equal(model.lines[0].shape, "3×8×8");
  assert.equal(model.lines[1].shape, "8×4×4"); // left out: the source's own
  assert.deepEqual(model.lines.map((line) => line.skip), [false, false, false, false, false, false, true]);
  assert.deepEqual(trail(model, at("block.c")).map((b) => b.id), ["block", "block.c"]);
  assert.deepEqual(leaves(model, at("block")).map((b) => b.id), ["block.b", "block.c"]);
  assert.ok(isInside(model, at("block.b"), at("block")));
  assert.ok(!isInside(model, at("a"), at("block")));
});

test("reach follows lines both ways", () => {
  assert.deepEqual([...reach(model, at("block.b"), true).boxes].map((b) => b.id).sort(), ["block.b", "d", "output"]);
  assert.deepEqual([...reach(model, at("block.b"), false).boxes].map((b) => b.id).sort(), ["a", "block.b", "input"]);
  assert.equal(reach(model, at("block"), true).lines.size, 3);
});

test("arrow keys walk along main edges and sideways", () => {
  assert.equal(step(model, at("a"), "next").id, "block.b");
  assert.equal(step(model, at("d"), "previous").id, "block.c"); // the nearest; never the skip edge first
  assert.equal(step(model, at("block.b"), "after").id, "block.c");
  assert.equal(step(model, at("block.c"), "before").id, "block.b");
  assert.equal(step(model, at("block"), "next").id, "block.b");
  assert.equal(step(model, at("output"), "next"), null);
});

test("search finds visible and hidden, every word", () => {
  assert.deepEqual(search(model, "block relu").map((hit) => hit.id), ["block.c"]);
  assert.deepEqual(search(model, "hidden").map((hit) => [hit.hidden, hit.box.id]), [[true, "d"]]);
  assert.deepEqual(search(model, "CONV2D_0").map((hit) => hit.id), ["a"]);
  assert.deepEqual(search(model, "  "), []);
});

test("zooming keeps the point under the pointer", () => {
  const camera = { k: 0.5, x: 30, y: -20 };
  const next = zoomAt(camera, 1.7, 200, 100);
  assert.ok(Math.abs((200 - camera.x) / camera.k - (200 - next.x) / next.k) < 1e-9);
  assert.ok(Math.abs((100 - camera.y) / camera.k - (100 - next.y) / next.k) < 1e-9);
  assert.equal(zoomAt(camera, 1e9, 0, 0).k, 4);
});

test("fit shows all; the first view of something long is readable", () => {
  const k = fit({ width: 1000, height: 1000 }, SCREEN).k;
  assert.ok(Math.abs(k - 552 / 1000) < 1e-9); // (600 − 2·24) / 1000
  const long = first({ width: 300, height: 30000 }, SCREEN, "down", [150, 20]);
  assert.ok(long.k >= 0.72 && long.y > 0);
  assert.equal(150 * long.k + long.x, 400); // the first box is in the middle
});

test("clamp keeps a corner on the screen, reveal moves only what is needed, detail grows", () => {
  const world = { width: 400, height: 500 };
  assert.equal(clamp({ k: 1, x: 9999, y: 0 }, world, SCREEN).x, 740);
  const camera = { k: 1, x: 0, y: 0 };
  assert.deepEqual(reveal(camera, { x: 300, y: 300, w: 100, h: 40 }, SCREEN), camera);
  assert.equal(reveal(camera, { x: 300, y: 900, w: 100, h: 40 }, SCREEN).y, 600 - 90 - 40 - 900);
  assert.equal(reveal({ k: 0.1, x: 0, y: 0 }, { x: 0, y: 0, w: 9, h: 9 }, SCREEN).k, 0.72);
  assert.deepEqual([0.1, 0.4, 0.6, 1].map(detail), [0, 1, 2, 3]);
});

test("colours: parsing, mixing, contrast, the ramp's lightness rises or falls steadily", () => {
  assert.deepEqual(rgb("#abc"), [170, 187, 204]);
  assert.deepEqual(rgb("rgba(1, 2, 3, 0.5)"), [1, 2, 3]);
  assert.equal(mix("#000000", "#ffffff", 0.5), "#808080");
  for (const dark of [false, true]) {
    const steps = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => luminance(ramp(share, dark)));
    const sorted = [...steps].sort((a, b) => (dark ? a - b : b - a));
    assert.deepEqual(steps, sorted);
    for (const share of [0, 0.3, 0.5, 0.7, 1]) {
      const face = ramp(share, dark);
      const [one, two] = [luminance(face), luminance(ink(face))].sort((a, b) => b - a);
      assert.ok((one + 0.05) / (two + 0.05) >= 3.9, `${share} ${dark}`);
    }
  }
});

test("log scale and ticks", () => {
  const scale = logScale([0, 10, 1000, undefined]);
  assert.equal(scale.share(10), 0);
  assert.ok(Math.abs(scale.share(100) - 0.5) < 1e-12);
  assert.equal(scale.share(0), null);
  assert.deepEqual(ticks(scale), [10, 100, 1000]);
  assert.ok(logScale([0]).empty);
  assert.equal(logScale([7, 7]).share(7), 1);
});

test("numbers with prefixes", () => {
  assert.deepEqual([0, 999, 25557032, 999999, 0.25, 4.5].map((n) => si(n)), ["0", "999", "25.6\u202fM", "1.00\u202fM", "0.250", "4.50"]);
  assert.equal(si(0.0123, "s"), "12.3\u202fms");
  assert.equal(si(3211264, "B"), "3.21\u202fMB");
});

test("paths: rounded corners, arrowheads, shared routes once", () => {
  assert.equal(polyline([[0, 0], [0, 10]]), "M0 0L0 10");
  assert.equal(polyline([[0, 0], [0, 20], [20, 20]]), "M0 0L0 13Q0 20 7 20L20 20");
  assert.match(head([[0, 0], [0, 10]]), /^M0 10L/);
  const paths = edgePaths(model, [...model.lines, ...model.lines]);
  assert.equal(paths.main.split("M").length - 1, 6);
  assert.equal(paths.skip.split("M").length - 1, 1);
  assert.equal(paths.mainHeads.split("Z").length - 1, 5); // two lines end at the same point of d
});

test("markup escapes what the network names", () => {
  const text = markup(model, THEME);
  assert.ok(text.includes("ReLU &amp; &lt;co&gt;") && !text.includes("<co>"));
  assert.equal(text.split('class="toggle"').length - 1, 2);
});

test("the exported file has no screen parts and no unknown colours; a PNG fits a canvas", () => {
  const fills = new Map([[1, { face: "#123456", ink: "#ffffff" }]]);
  const file = svgDocument(model, THEME, fills, "A <title>");
  assert.ok(file.includes("A &lt;title>") === false && file.includes("A &lt;title&gt;"));
  for (const part of ["data-i", "toggle\"", "var(", "color-mix", "href"]) assert.ok(!file.includes(part), part);
  assert.ok(file.includes("fill:#123456"));
  assert.ok(sheet(THEME).includes(".k-attention"));
  assert.equal(fileName(model, "svg"), "timm_made-graph.svg");
  assert.equal(pngScale(500, 500), 2);
  for (const [w, h] of [[536, 41480], [112000, 400], [20000, 20000]]) {
    const scale = pngScale(w, h);
    assert.ok(Math.max(w, h) * scale <= 32000.001 && w * h * scale ** 2 <= 120e6 * 1.001);
  }
});
