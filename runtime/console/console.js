// The page: routes, channels and broken files as the feed tells them, and the clients that were opened here.

import { Client } from "./client.js";
import { appendRow, clock, find, followEnd, make, setText } from "./elements.js";
import { Feed } from "./feed.js";

const NAMES = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];
const MOST_LINES = 300;
const SHORT_ID = 8;
const TOO_MANY = "There is too much to show here: see what `worpen dev` says, or mend other files first.";

const SERVED = ["ok", "stale"];

const lines = followEnd(find("log"));
const cards = new Map(); // path of a route → its card
const clients = [];
const starting = []; // clients whose connection the server has not told of yet, in order
let connections = new Map(); // id → path of the route
let channels = { total: 0, list: [] };
let findings = [];

// Routes.

class RouteCard {
  constructor(path) {
    this.path = path;
    this.fieldNames = null;
    this.condition = make("span", { className: "badge" });
    this.count = make("span", { className: "count" });
    this.title = make("span", { className: "title" });
    const summary = make("summary", {}, make("code", {}, path), this.condition, this.title, this.count);
    this.description = make("p", { className: "description" });
    this.finding = make("pre", { className: "finding", tabIndex: 0, "aria-label": `What is wrong with ${path}` });
    this.fields = make("div", { className: "fields" });
    this.name = make("input", { autocomplete: "off", spellcheck: false });
    this.open = make("button", { type: "submit", className: "primary" }, "Open a client");
    const name = make("label", {}, make("span", {}, "client"), this.name);
    this.form = make("form", {}, this.fields, name, this.open);
    this.details = make("details", {}, summary, this.description, this.finding, this.form);
    this.element = make("li", { className: "card" }, this.details);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      openClient(this);
    });
  }

  show(route) {
    this.route = route;
    this.element.dataset.condition = route.condition;
    setText(this.condition, route.condition);
    setText(this.title, route.name);
    setText(this.description, route.description);
    this.form.hidden = !SERVED.includes(route.condition);
    const names = JSON.stringify([route.params, route.query]);
    if (names !== this.fieldNames) this.#makeFields(route);
    this.fieldNames = names;
    this.name.placeholder = nextName();
    this.showFinding();
  }

  #makeFields({ params, query }) {
    const typed = new Map([...this.fields.querySelectorAll("input")].map((input) => [input.dataset.key, input.value]));
    const field = (key, label, hint, required) => {
      const input = make("input", { required, placeholder: hint, autocomplete: "off", spellcheck: false, "data-key": key });
      input.value = typed.get(key) ?? "";
      return make("label", {}, make("span", {}, label), input);
    };
    this.fields.replaceChildren(
      ...params.map((name) => field(`:${name}`, `:${name}`, "part of the address", true)),
      ...query.map((name) => field(`?${name}`, `?${name}`, "not sent", false)),
      field("&", "query", "more: a=1&b=2", false),
    );
  }

  showFinding() {
    const own = findings.filter((file) => file.paths.includes(this.path)).map((file) => file.text);
    const text = own.join("\n").trim() || this.route.reason.trim();
    this.finding.hidden = text === "";
    setText(this.finding, text);
    const stale = this.route.condition === "stale" ? "the last good version is served" : "";
    this.condition.title = stale || this.route.condition;
    setText(this.open, this.route.condition === "stale" ? "Open a client of the last good version" : "Open a client");
  }

  /** The address to connect to, as the fields say. */
  address() {
    const value = (key) => this.fields.querySelector(`[data-key="${CSS.escape(key)}"]`)?.value ?? "";
    const chosen = this.route.addresses.at(-1);
    const path = chosen.replace(/\/:([^/]+)/g, (_, name) => `/${encodeURIComponent(value(`:${name}`))}`);
    const named = this.route.query.filter((name) => value(`?${name}`) !== "");
    const query = named.map((name) => `${encodeURIComponent(name)}=${encodeURIComponent(value(`?${name}`))}`);
    const more = value("&").replace(/^\?/, "");
    const all = [...query, ...(more ? [more] : [])].join("&");
    return all ? `${path}?${all}` : path;
  }
}

function showRoutes({ total, list: routes }) {
  const paths = new Set(routes.map((route) => route.path));
  for (const [path, card] of cards) {
    if (!paths.has(path)) {
      card.element.remove();
      cards.delete(path);
    }
  }
  for (const route of routes) {
    if (!cards.has(route.path)) cards.set(route.path, new RouteCard(route.path));
    const card = cards.get(route.path);
    card.show(route);
    if (!card.element.isConnected) find("routes").append(card.element);
  }
  if (routes.length === 1) cards.get(routes[0].path).details.open = true;
  setText(find("route-count"), total > routes.length ? `${routes.length} of ${total}` : String(total));
  find("no-routes").hidden = routes.length > 0;
  showFindings();
  showCounts();
}

function showCounts() {
  const numbers = new Map();
  for (const path of connections.values()) numbers.set(path, (numbers.get(path) ?? 0) + 1);
  for (const [path, card] of cards) setText(card.count, numbers.get(path) ? `${numbers.get(path)} open` : "");
}

// Clients.

function nextName() {
  const taken = new Set(clients.map((client) => client.name));
  return NAMES.find((name) => !taken.has(name)) ?? `client ${clients.length + 1}`;
}

function openClient(card) {
  const name = card.name.value.trim() || nextName();
  const on = { change: clientsChanged, remove: removeClient, look, starting: (one) => starting.push(one), refused };
  const client = new Client({ name, address: card.address(), on });
  clients.push(client);
  find("clients").append(client.element);
  card.name.value = "";
  clientsChanged();
  client.element.scrollIntoView({ block: "nearest" });
  client.field.focus({ preventScroll: true });
}

function removeClient(client) {
  clients.splice(clients.indexOf(client), 1);
  client.element.remove();
  clientsChanged();
  (clients.at(-1)?.field ?? find("clients")).focus();
}

function clientsChanged() {
  setText(find("client-count"), clients.length ? String(clients.length) : "");
  find("no-clients").hidden = clients.length > 0;
  for (const card of cards.values()) card.name.placeholder = nextName();
  showChannels();
}

function refused(client) {
  const place = starting.indexOf(client);
  if (place >= 0) starting.splice(place, 1);
}

function look(id) {
  feed.ask({ ask: "connection", id });
}

const nameOf = (id) => clients.find((client) => client.id === id)?.name ?? id.slice(0, SHORT_ID);

// Channels and broken files. What says the same already is left alone, so that nothing is announced or selected anew.

const textOf = (rows) => Array.from(rows, (row) => row.textContent).join("\n");

function showChannels() {
  const rows = channels.list.map(({ name, size, members }) => {
    const shown = members.map(nameOf);
    if (size > members.length) shown.push(`${size - members.length} more`);
    const head = make("div", {}, make("bdi", { className: "channel" }, name), make("span", { className: "count" }, String(size)));
    return make("li", {}, head, make("span", { className: "members" }, shown.join(", ")));
  });
  if (channels.total > channels.list.length) {
    rows.push(make("li", { className: "hint" }, `and ${channels.total - channels.list.length} more`));
  }
  const list = find("channels");
  if (textOf(rows) !== textOf(list.children)) list.replaceChildren(...rows);
  setText(find("channel-count"), channels.total ? String(channels.total) : "");
  find("no-channels").hidden = channels.total > 0;
}

function showFindings() {
  const rows = findings.map(({ file, paths, text }) => {
    const goesOn = paths.some((path) => cards.get(path)?.route.condition === "stale");
    const where = paths.length ? paths.join(", ") : "its address cannot be read";
    const about = goesOn ? `${where}: the last good version is served` : where;
    const finding = make("pre", { className: "finding", tabIndex: 0, "aria-label": `What is wrong in ${file}` }, text || TOO_MANY);
    return make("li", {}, make("h3", {}, make("code", {}, file), make("span", { className: "hint" }, about)), finding);
  });
  const list = find("problem-list");
  if (textOf(rows) !== textOf(list.children)) list.replaceChildren(...rows);
  find("problems").hidden = rows.length === 0;
  for (const card of cards.values()) card.showFinding();
}

// The server's log.

const SENTENCES = {
  connected: (e) => ["info", `${nameOf(e.connection_id)} connected to ${e.path} (${e.route}, generation ${e.generation})`],
  disconnected: (e) => ["info", `${nameOf(e.connection_id)} left ${e.route}: ${e.code} ${e.reason}`],
  log_line: (e) => [e.level, `${nameOf(e.connection_id)} ${e.route} ${e.hook}: ${e.message}`],
  hook_faulted: (e) => ["error", `${place(e)} ${e.route} ${e.hook}: ${e.code}: ${e.message}${operands(e)}`],
  hook_cancelled: (e) => ["info", `${nameOf(e.connection_id)} ${e.route} ${e.hook} was cancelled`],
  swapped: (e) => ["info", swapped(e)],
  refused: (e) => ["warn", `refused ${e.path}: ${e.status} ${e.reason.split("\n")[0]}`],
  draining: () => ["info", "the server stops"],
  trouble: (e) => ["error", `a bug of worpen, error ${e.error_id}, in ${e.where}`],
};

const place = ({ file, mark }) => (mark ? `${file}:${mark.line}:${mark.column}` : file);
const operands = ({ operands: shown }) => (shown.length ? ` [${shown.join(", ")}]` : "");

function swapped(event) {
  const words = ["added", "changed", "removed", "refused"];
  const parts = words.filter((word) => event[word].length).map((word) => `${word} ${event[word].join(", ")}`);
  return `reloaded: ${parts.join("; ") || "nothing changed"}`;
}

function log(at, level, sentence) {
  const facts = [make("time", {}, clock(at)), make("span", { className: "level" }, level)];
  const row = make("li", { "data-level": level }, ...facts, make("bdi", { className: "sentence" }, sentence));
  appendRow(lines, row, MOST_LINES);
}

function happened({ at, event }) {
  if (event.event === "connected") {
    const card = [...cards.values()].find((one) => one.route.name === event.route);
    connections.set(event.connection_id, card?.path ?? "");
    claim(event);
  }
  const told = SENTENCES[event.event]?.(event);
  if (told) log(at, ...told);
  if (event.event === "disconnected") connections.delete(event.connection_id);
  if (event.event === "connected" || event.event === "disconnected") showCounts();
}

/** A connection to an address where a client of ours is about to be: it is that client's. */
function claim({ connection_id: id, path }) {
  const client = starting.find((one) => one.path === path);
  if (!client) return;
  refused(client);
  client.id = id;
  showChannels();
}

// The feed.

const HEARD = {
  snapshot(message) {
    findings = message.findings;
    connections = new Map(message.connections.list.map(({ id, pattern }) => [id, pattern]));
    channels = message.channels;
    showRoutes(message.routes);
    showChannels();
  },
  routes: ({ routes }) => showRoutes(routes),
  findings(message) {
    findings = message.findings;
    showFindings();
  },
  channels(message) {
    channels = message.channels;
    showChannels();
  },
  event: happened,
  connection: ({ id, connection }) => clients.find((client) => client.id === id)?.showInside(connection),
  lost: ({ events }) => log(Date.now(), "warn", `${events} events came too fast to be shown`),
  problem: ({ message }) => log(Date.now(), "warn", message),
};

const feed = new Feed({
  hear: (message) => HEARD[message.kind]?.(message),
  tell(state, sentence) {
    const isRefused = state === "refused";
    setText(find("state"), isRefused ? "no token" : sentence);
    find("state").dataset.state = state;
    find("unlock").hidden = !isRefused;
    if (isRefused) {
      setText(find("unlock-reason"), sentence);
      find("token").focus();
    }
  },
});

/** The token in an address, after `#` or `?`; or the text itself. */
function tokenIn(text) {
  return new URLSearchParams(/token=.*/.exec(text)?.[0] ?? "").get("token") ?? text.trim();
}

find("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  feed.open(tokenIn(find("token").value));
  find("token").value = "";
});

addEventListener("hashchange", () => {
  if (location.hash.includes("token=")) feed.open(tokenIn(location.hash));
});

addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const number = /^Digit([1-9])$/.exec(event.code)?.[1];
  const target = number ? clients[number - 1]?.field : event.code === "KeyR" && document.querySelector("#routes summary");
  if (!target) return;
  event.preventDefault();
  target.focus();
});

const given = location.hash.includes("token=") ? location.hash : location.search;
feed.open(given.includes("token=") ? tokenIn(given) : "");
