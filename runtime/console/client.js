// One client: a WebSocket to a route, the frames that went to and fro, and a field to send more.

import { appendRow, clock, followEnd, make, setText } from "./elements.js";
import { describe, prepare, showSize } from "./payload.js";

const MOST_FRAMES = 500;
const MOST_REMEMBERED = 50;
const LOOK_DELAY = 250;
const UPGRADE_REQUIRED = 426;
const CLOSE_CODES = {
  1000: "normal",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1005: "no code given",
  1006: "no close frame",
  1007: "not UTF-8",
  1008: "policy",
  1009: "message too big",
  1011: "server error",
  1012: "server restarts",
  1013: "try again later",
};
const HINTS = {
  text: "Message",
  json: '{"a": 1}',
  binary: "de ad be ef, or base64:…",
};

export class Client {
  #socket = null;
  #wasOpen = false;
  #sent = [];
  #recalled = 0;
  #timer = 0;

  /** `address` is path and query. `on` has `change`, `remove`, `look(id)`, `starting(client)` and `refused(client)`. */
  constructor({ name, address, on }) {
    this.name = name;
    this.address = address;
    this.on = on;
    this.id = "";
    this.#build();
    this.connect();
  }

  get path() {
    return new URL(this.address, location.href).pathname;
  }

  #build() {
    this.nameField = make("input", { className: "name", value: this.name, "aria-label": "Name of this client" });
    this.state = make("span", { className: "badge" });
    this.toggle = make("button", { type: "button" });
    this.clear = make("button", { type: "button" }, "Clear");
    this.remove = make("button", { type: "button", className: "remove" }, "Remove");
    this.frames = followEnd(make("ol", { className: "frames", tabIndex: 0, role: "log" }));
    this.inside = make("details", { className: "inside" }, make("summary", {}, "Variables"), make("pre"));
    this.kind = make("select", { "aria-label": "Send as" });
    for (const kind of Object.keys(HINTS)) this.kind.append(make("option", { value: kind }, kind));
    this.field = make("textarea", { rows: 1, "aria-label": "Message", placeholder: HINTS.text, spellcheck: false });
    this.send = make("button", { type: "submit", className: "primary" }, "Send");
    this.objection = make("p", { className: "objection", role: "alert" });
    this.composer = make("form", { className: "composer" }, this.kind, this.field, this.send, this.objection);
    const actions = make("div", { className: "actions" }, this.toggle, this.clear, this.remove);
    const head = make("header", {}, this.nameField, this.state, actions, make("code", {}, this.address));
    this.element = make("article", { className: "client" }, head, this.frames, this.inside, this.composer);
    this.#listen();
    this.#label();
  }

  #listen() {
    this.nameField.addEventListener("input", () => {
      this.name = this.nameField.value.trim() || "client";
      this.#label();
      this.on.change();
    });
    this.toggle.addEventListener("click", () => (this.isLive ? this.#socket.close(1000) : this.connect()));
    this.clear.addEventListener("click", () => this.frames.replaceChildren());
    this.remove.addEventListener("click", () => this.#leave());
    this.inside.addEventListener("toggle", () => this.#look());
    this.kind.addEventListener("change", () => (this.field.placeholder = HINTS[this.kind.value]));
    this.field.addEventListener("keydown", (event) => this.#keyed(event));
    this.field.addEventListener("input", () => this.#grow());
    this.composer.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #label() {
    this.element.setAttribute("aria-label", `Client ${this.name}`);
    this.frames.setAttribute("aria-label", `Frames of ${this.name}`);
    this.field.setAttribute("aria-label", `Message of ${this.name}`);
    this.remove.setAttribute("aria-label", `Remove ${this.name}`);
  }

  // The connection.

  get isLive() {
    return this.#socket !== null && this.#socket.readyState <= WebSocket.OPEN;
  }

  connect() {
    const socket = (this.#socket = new WebSocket(`ws://${location.host}${this.address}`));
    socket.binaryType = "arraybuffer";
    this.#wasOpen = false;
    this.id = "";
    this.on.starting(this);
    socket.onopen = () => {
      this.#wasOpen = true;
      this.#note("connected");
      this.#show();
    };
    socket.onmessage = ({ data }) => this.#frame("in", data);
    socket.onclose = (event) => this.#closed(event);
    this.#show();
  }

  #closed({ code, reason }) {
    this.closing = `closed ${code}`;
    if (this.#wasOpen) {
      const known = CLOSE_CODES[code] ? ` (${CLOSE_CODES[code]})` : "";
      this.#note(`closed with ${code}${known}${reason ? `: ${reason}` : ""}`);
    } else {
      this.on.refused(this);
      this.#explain();
    }
    this.#show();
  }

  /** A browser does not say why a handshake was refused; the same address says it to a plain request. */
  async #explain() {
    let why = "no server answers";
    try {
      const response = await fetch(this.address, { cache: "no-store" });
      const text = (await response.text()).trim().split("\n")[0];
      why = response.status === UPGRADE_REQUIRED ? "the handshake was refused, see what the server says below" : `${response.status}: ${text}`;
    } catch {
      // There is no server.
    }
    this.#note(`not connected, ${why}`);
  }

  #leave() {
    if (this.#socket) {
      this.#socket.onclose = this.#socket.onmessage = this.#socket.onopen = null;
      if (!this.#wasOpen) this.on.refused(this);
      if (this.isLive) this.#socket.close(1000);
    }
    clearTimeout(this.#timer);
    this.on.remove(this);
  }

  #show() {
    const words = ["connecting", "open", "closing", this.closing ?? "closed"];
    const state = this.#socket?.readyState ?? WebSocket.CLOSED;
    setText(this.state, words[state]);
    this.state.dataset.state = ["waiting", "open", "waiting", "closed"][state];
    setText(this.toggle, this.isLive ? "Disconnect" : "Connect");
    this.send.disabled = state !== WebSocket.OPEN;
    this.on.change();
  }

  // Frames.

  #frame(direction, payload) {
    const shown = describe(payload);
    const words = direction === "in" ? "↓ in" : "↑ out";
    const facts = make(
      "div",
      { className: "facts" },
      make("span", { className: "direction" }, words),
      make("time", {}, clock(Date.now())),
      make("span", { className: "size" }, showSize(shown.size)),
      make("span", { className: "kind" }, shown.kind),
    );
    const row = make("li", { className: `frame ${direction}` }, facts, make("pre", { dir: "auto" }, shown.text));
    if (shown.formatted) {
      row.append(make("details", {}, make("summary", {}, "formatted"), make("pre", { dir: "auto" }, shown.formatted)));
    }
    appendRow(this.frames, row, MOST_FRAMES);
    this.#lookSoon();
  }

  #note(sentence) {
    const facts = make("div", { className: "facts" }, make("time", {}, clock(Date.now())), make("span", {}, sentence));
    appendRow(this.frames, make("li", { className: "frame note" }, facts), MOST_FRAMES);
  }

  // Sending.

  #submit() {
    const typed = this.field.value;
    if (this.#socket?.readyState !== WebSocket.OPEN) return this.#object("not connected");
    let payload;
    try {
      payload = prepare(typed, this.kind.value);
    } catch (error) {
      return this.#object(error.message);
    }
    this.#socket.send(payload);
    this.#frame("out", typeof payload === "string" ? payload : payload.buffer);
    this.#sent = [...this.#sent.filter((other) => other !== typed), typed].slice(-MOST_REMEMBERED);
    this.#recalled = this.#sent.length;
    this.#write("");
    this.#object("");
  }

  #object(sentence) {
    setText(this.objection, sentence);
    this.field.setAttribute("aria-invalid", String(sentence !== ""));
  }

  #keyed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape") {
      this.frames.focus();
    } else if (event.key === "ArrowUp" && this.field.selectionStart === 0) {
      this.#recall(-1, event);
    } else if (event.key === "ArrowDown" && this.field.selectionEnd === this.field.value.length) {
      this.#recall(1, event);
    }
  }

  #recall(step, event) {
    const place = this.#recalled + step;
    if (place < 0 || place > this.#sent.length) return;
    event.preventDefault();
    this.#recalled = place;
    this.#write(this.#sent[place] ?? "");
    const caret = step < 0 ? 0 : this.field.value.length;
    this.field.setSelectionRange(caret, caret);
  }

  #write(text) {
    this.field.value = text;
    this.#grow();
  }

  #grow() {
    this.field.rows = Math.min(8, this.field.value.split("\n").length);
  }

  // Inside: what the server knows of this connection.

  #lookSoon() {
    if (!this.inside.open) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), LOOK_DELAY);
  }

  #look() {
    if (!this.inside.open) return;
    if (this.id) this.on.look(this.id);
    else this.showInside(null);
  }

  /** Show what the feed answered about this connection. */
  showInside(connection) {
    const text = connection ? JSON.stringify(connection.variables, null, 2) : "The connection is not known to the server.";
    setText(this.inside.lastElementChild, text);
  }
}
