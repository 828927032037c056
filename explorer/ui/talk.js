// The bar of a talk: the step's words, keys and clicker, the QR code of the view.
// It changes at once; the page follows when the server has been told.

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
const FORWARD = ["ArrowRight", "PageDown", " "];
const BACK = ["ArrowLeft", "PageUp"];
const TYPED = 'input:not([type="checkbox"]):not([type="radio"]):not([type="button"]), textarea, select, [contenteditable=""], [contenteditable="true"], [role="textbox"], [role="combobox"], [role="listbox"], [role="slider"]';
// Arrows, Home and Space are theirs; a clicker's Page Down is not.
const MOVED = '[role="radiogroup"], [role="tablist"], [role="menu"], input';
const PRESSED = 'button, summary, a[href], [role="button"], [role="tab"], [role="option"]';

const PICTURE = '[data-testid="stPlotlyChart"], [data-testid="stImage"], [data-testid^="stBidiComponent"]';
const LOOKING = 3000; // ms after a step in which its picture may appear
const AGAIN = 800; // ms without an answer
const TALL = 200; // px from which something is a picture

const views = new WeakMap();

const element = (name, kind, more = {}) => Object.assign(document.createElement(name), { className: kind, ...more });

class Talk {
  constructor(parent) {
    this.bar = element("section", "talk");
    this.count = element("div", "count");
    const words = element("div", "words");
    words.setAttribute("aria-live", "polite");
    this.title = element("p", "title");
    this.text = element("p", "text");
    words.append(this.title, this.text);
    const keys = element("div", "keys");
    this.buttons = {};
    const signs = { previous: "←", next: "→", reset: "⟲", qr: "QR", leave: "✕" };
    for (const [name, sign] of Object.entries(signs)) {
      const button = element("button", name, { type: "button", textContent: sign });
      button.addEventListener("click", () => this.act(name));
      this.buttons[name] = button;
      keys.append(button);
    }
    this.bar.append(this.count, words, keys);
    this.code = element("div", "code", { hidden: true, tabIndex: -1 });
    this.code.setAttribute("role", "dialog");
    this.picture = element("div", "picture");
    this.address = element("p", "address");
    this.note = element("p", "note");
    this.code.append(this.picture, this.address, this.note);
    this.code.addEventListener("click", () => this.act("qr"));
    parent.append(this.bar, this.code);
    this.heard = (event) => this.key(event);
    document.addEventListener("keydown", this.heard);
  }

  update(data) {
    if (!this.data && data.number) this.look();
    this.data = data;
    if (data.number === this.wanted) this.wanted = null;
    if (this.wanted == null) this.number = data.number;
    for (const [name, button] of Object.entries(this.buttons)) {
      button.title = data.words[name];
      button.setAttribute("aria-label", data.words[name]);
    }
    this.bar.setAttribute("aria-label", data.words.bar);
    this.code.setAttribute("aria-label", data.words.qr);
    this.say();
    this.show(data);
  }

  // The picture of a step is brought into sight where the controls above it leave no room.
  look() {
    clearInterval(this.timer);
    const main = document.querySelector('[data-testid="stMain"]');
    if (!main) return;
    const until = performance.now() + LOOKING;
    const stop = () => {
      clearInterval(this.timer);
      for (const name of ["wheel", "pointerdown", "keydown"]) removeEventListener(name, stop, true);
    };
    for (const name of ["wheel", "pointerdown", "keydown"]) addEventListener(name, stop, true);
    this.timer = setInterval(() => {
      if (performance.now() > until) stop();
      const pictures = [...main.querySelectorAll(PICTURE)];
      const picture = pictures.find((one) => one.offsetHeight >= TALL && !one.closest('[data-stale="true"]'));
      if (!picture) return;
      const { top, bottom } = picture.getBoundingClientRect();
      const floor = this.bar.getBoundingClientRect().top - 8;
      if (bottom > floor && top > 8) main.scrollBy(0, Math.min(top - 8, bottom - floor));
    }, 60);
  }

  say() {
    const { steps, words } = this.data;
    const [title, text] = steps[this.number - 1] ?? ["", steps.length ? words.begin : ""];
    this.count.textContent = steps.length ? `${this.number || "–"} / ${steps.length}` : "";
    this.title.textContent = title;
    this.text.textContent = text;
    this.buttons.previous.disabled = this.number <= 1;
    this.buttons.next.disabled = this.number >= steps.length;
  }

  show({ svg, address, problem, words }) {
    this.open = Boolean(svg || problem);
    this.code.hidden = !this.open;
    if (!this.open) return;
    this.picture.innerHTML = svg; // drawn by the server; holds squares and no text
    this.address.textContent = problem || address;
    this.note.textContent = svg && LOOPBACK.test(location.hostname) ? words.local : "";
    this.code.focus();
  }

  go(number) {
    const wanted = Math.min(Math.max(number, 1), this.data.steps.length);
    if (!this.data.steps.length || (wanted === this.number && number !== 1)) return;
    this.number = wanted;
    this.open = false;
    this.code.hidden = true;
    this.say();
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
    this.ask(wanted, 3);
    this.look();
  }

  // A press that comes while the page is being changed can get lost on its way: it is sent again.
  ask(number, times) {
    clearTimeout(this.waiting);
    this.wanted = number;
    this.send({ go: number });
    this.waiting = setTimeout(() => {
      if (this.wanted !== number) return;
      if (times > 1) this.ask(number, times - 1);
      else this.wanted = null;
    }, AGAIN);
  }

  act(name) {
    if (name === "next") this.go(this.number + 1);
    else if (name === "previous") this.go(this.number - 1);
    else if (name === "reset") this.go(1);
    else if (name === "qr" || this.open) {
      this.send({ qr: this.open ? "" : location.href });
      if (this.open) this.code.hidden = true;
      this.open = false;
    } else this.send({ leave: true });
  }

  key(event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const at = event.composedPath()[0];
    const inside = (what) => at instanceof Element && at.closest(what) !== null;
    const { key } = event;
    if (inside(TYPED)) return;
    if (/^(Arrow|Home$| $)/.test(key) && inside(MOVED)) return;
    if (key === " " && inside(PRESSED)) return;
    const name = FORWARD.includes(key) ? "next" : BACK.includes(key) ? "previous"
      : key === "Home" || key.toLowerCase() === "r" ? "reset"
      : key.toLowerCase() === "q" ? "qr" : key === "Escape" ? "leave" : "";
    if (!name || (event.repeat && name !== "next" && name !== "previous")) return;
    // An open list or window of the page closes first.
    if (name === "leave" && document.querySelector('[data-testid="stPopoverBody"], [role="listbox"], [data-testid="stDialog"]')) return;
    event.preventDefault();
    this.act(name);
  }

  end() {
    clearInterval(this.timer);
    clearTimeout(this.waiting);
    document.removeEventListener("keydown", this.heard);
    this.bar.remove();
    this.code.remove();
  }
}

export default function talk({ parentElement, data, setTriggerValue }) {
  const view = views.get(parentElement) ?? new Talk(parentElement);
  views.set(parentElement, view);
  view.send = (event) => setTriggerValue("event", event);
  view.update(data);
  // When the page changes, the new mount may come before the end of the old one.
  const mine = (view.mounts = (view.mounts ?? 0) + 1);
  return () => {
    if (view.mounts !== mine && parentElement.isConnected) return;
    if (views.get(parentElement) === view) views.delete(parentElement);
    view.end();
  };
}
