// What Streamlit calls: at the first mount, and again whenever Python sends new data.

import { GraphView } from "./view.js";

const views = new WeakMap();

export default function graphView(component) {
  const { parentElement, data, setTriggerValue } = component;
  const view = views.get(parentElement) ?? new GraphView(parentElement);
  views.set(parentElement, view);
  view.send = (event) => setTriggerValue("event", event);
  view.update(data);
  return () => {
    view.stop?.();
    view.parts?.root.remove();
    views.delete(parentElement);
  };
}
