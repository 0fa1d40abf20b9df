export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  made.append(...children);
  return made;
}

export const fill = (parent, children) => parent.replaceChildren(...children);

// The clock of the browser may be off; instants are judged by the clock of the page's server.
let aheadMs = 0;
export const serverTimeIs = (instant) => {
  aheadMs = Date.now() - Date.parse(instant);
};
export const now = () => Date.now() - aheadMs;

const units = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
  ['s', 1],
];

export function distance(instant) {
  const seconds = Math.abs(Math.round((Date.parse(instant) - now()) / 1_000));
  const [unit, length] = units.find(([, size]) => seconds >= size) ?? units[3];
  return `${Math.floor(seconds / length)} ${unit}`;
}

export const ago = (instant) => `${distance(instant)} ago`;
export const until = (instant) => (Date.parse(instant) > now() ? `in ${distance(instant)}` : 'now');
