// Mouse, touch and wheel → pan, zoom, tap and double tap.

import { zoomAt } from "./camera.js";

const SLOP = 5; // px that a finger may move in a tap

/**
 * Listens on an element. `view` gives `camera()`, `move(camera)`, `tap(event)`,
 * `doubleTap(event)` and `hover(event | null)`. Returns a function that stops listening.
 */
export function listen(element, view) {
  const pointers = new Map();
  let moved = false;
  let lastTap = { time: 0, x: 0, y: 0 };
  const place = (event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const spread = () => {
    const [[ax, ay], [bx, by]] = [...pointers.values()];
    return { x: (ax + bx) / 2, y: (ay + by) / 2, size: Math.max(8, Math.hypot(ax - bx, ay - by)) };
  };

  const down = (event) => {
    if (event.button > 0) return;
    if (!pointers.size) moved = false;
    pointers.set(event.pointerId, place(event));
    view.hover(null);
  };
  const move = (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
      if (event.pointerType === "mouse") view.hover(event);
      return;
    }
    const now = place(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (!moved && Math.hypot(dx, dy) < SLOP && pointers.size === 1) return;
    if (!moved) element.setPointerCapture?.(event.pointerId);
    moved = true;
    const camera = view.camera();
    if (pointers.size === 1) {
      pointers.set(event.pointerId, now);
      view.move({ ...camera, x: camera.x + dx, y: camera.y + dy });
    } else if (pointers.size === 2) {
      const was = spread();
      pointers.set(event.pointerId, now);
      const is = spread();
      const shifted = { ...camera, x: camera.x + is.x - was.x, y: camera.y + is.y - was.y };
      view.move(zoomAt(shifted, is.size / was.size, is.x, is.y));
    }
  };
  const up = (event) => {
    if (!pointers.delete(event.pointerId) || pointers.size) return;
    if (moved || event.type !== "pointerup") return;
    const [x, y] = place(event);
    const again = event.timeStamp - lastTap.time < 350 && Math.hypot(x - lastTap.x, y - lastTap.y) < 24;
    lastTap = again ? { time: 0, x: 0, y: 0 } : { time: event.timeStamp, x, y };
    if (again) view.doubleTap(event);
    else view.tap(event);
  };
  const wheel = (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const [x, y] = place(event);
    if (event.shiftKey) {
      const camera = view.camera();
      const [dx, dy] = event.deltaX ? [event.deltaX, event.deltaY] : [event.deltaY, 0];
      view.move({ ...camera, x: camera.x - dx * unit, y: camera.y - dy * unit });
    } else {
      // A pinch on a touchpad comes as a wheel with ctrl and small steps.
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      view.move(zoomAt(view.camera(), Math.exp(-event.deltaY * unit * speed), x, y));
    }
  };
  const stop = new AbortController();
  const on = (type, action, options = {}) =>
    element.addEventListener(type, action, { signal: stop.signal, ...options });
  on("pointerdown", down);
  on("pointermove", move);
  on("pointerup", up);
  on("pointercancel", up);
  on("pointerleave", () => view.hover(null));
  on("wheel", wheel, { passive: false });
  return () => stop.abort();
}
