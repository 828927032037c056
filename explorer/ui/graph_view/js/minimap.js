// The whole drawing, small: drawn once per change; the frame over it moves with the camera.

const MAP_SIZE = { width: 150, height: 190 };

/** Draws the map and lets it be clicked and dragged; `go(x, y)` centres the view on the world. */
export class Minimap {
  constructor(root, go) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.frame = root.querySelector(".frame");
    const act = (event) => {
      const box = this.canvas.getBoundingClientRect();
      go((event.clientX - box.left) / this.sx, (event.clientY - box.top) / this.sy);
    };
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      act(event);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) act(event);
    });
  }

  /** Scales that fit; long networks are stretched across so that they stay more than a line. */
  size(model) {
    const even = Math.min(MAP_SIZE.width / model.width, MAP_SIZE.height / model.height);
    this.sx = Math.min(MAP_SIZE.width / model.width, Math.max(even, 44 / model.width));
    this.sy = Math.min(MAP_SIZE.height / model.height, Math.max(even, 44 / model.height));
  }

  draw(model, colourOf, theme) {
    this.size(model);
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const [width, height] = [model.width * this.sx, model.height * this.sy];
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    for (const box of model.boxes) {
      pen.fillStyle = box.open ? theme.fg : colourOf(box);
      pen.globalAlpha = box.open ? 0.07 : 0.85;
      const w = Math.max(1, box.w * this.sx);
      const h = Math.max(box.open ? 0.5 : 0.8, box.h * this.sy);
      pen.fillRect(box.x * this.sx, box.y * this.sy, w, h);
    }
  }

  /** Moves the frame to what the screen shows; the map hides where everything is shown. */
  show(camera, screen, model) {
    const [w, h] = [screen.width / camera.k, screen.height / camera.k];
    const [x, y] = [-camera.x / camera.k, -camera.y / camera.k];
    const all = x <= 0 && y <= 0 && x + w >= model.width && y + h >= model.height;
    this.root.classList.toggle("idle", all);
    if (all) return;
    const left = Math.max(0, x) * this.sx;
    const top = Math.max(0, y) * this.sy;
    const right = Math.min(model.width, x + w) * this.sx;
    const bottom = Math.min(model.height, y + h) * this.sy;
    const { style } = this.frame;
    style.transform = `translate(${left}px, ${top}px)`;
    style.width = `${Math.max(6, right - left)}px`;
    style.height = `${Math.max(4, bottom - top)}px`;
  }
}
