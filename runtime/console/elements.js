// Elements, made in code. Whatever comes from a server or a client goes in as text and never as markup.

/** An element with properties, attributes (`data-…`, `aria-…`, `role`) and children; a string is text. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** The element of the page with this id. */
export const find = (id) => document.getElementById(id);

/** Set a text where it is another one: what does not change is not announced or selected anew. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** `12:03:07.120`, in the reader's time zone. */
export function clock(milliseconds) {
  const time = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, "0");
  const fraction = String(time.getMilliseconds()).padStart(3, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${fraction}`;
}

const NEAR = 24;
const readers = new WeakMap(); // list → whether its reader is at the end of it

/** Keep a list at its end while its reader is there, also when it gets smaller. */
export function followEnd(list) {
  const toEnd = () => readers.get(list) && (list.scrollTop = list.scrollHeight);
  let top = 0;
  readers.set(list, true);
  list.addEventListener("scroll", () => {
    // A list that got smaller is not at its end either: only who scrolls up has left it.
    if (list.scrollTop + list.clientHeight >= list.scrollHeight - NEAR) readers.set(list, true);
    else if (list.scrollTop < top) readers.set(list, false);
    top = list.scrollTop;
  });
  new ResizeObserver(toEnd).observe(list);
  return list;
}

/** Append to a list made by `followEnd` that keeps its last rows. */
export function appendRow(list, row, most) {
  list.append(row);
  while (list.childElementCount > most) list.firstElementChild.remove();
  if (readers.get(list)) list.scrollTop = list.scrollHeight;
}
