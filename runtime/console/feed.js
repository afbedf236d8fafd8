// The feed: a WebSocket to the server that tells what it does. It comes back by itself after a restart.

const ADDRESS = "/__worpen__/feed";
const SCHEMA = "worpen.feed/1";
const FIRST_DELAY = 500;
const LONGEST_DELAY = 5_000;

/**
 * `hear(message)` gets each message, `tell(state, sentence)` what the feed does: `waiting`, `open`, `lost`, or
 * `refused`, after which it waits for a token.
 */
export class Feed {
  #token = "";
  #socket = null;
  #delay = FIRST_DELAY;
  #timer = 0;

  constructor({ hear, tell }) {
    this.hear = hear;
    this.tell = tell;
  }

  /** Begin, or begin anew, with this token. It is kept here and nowhere else. */
  open(token) {
    clearTimeout(this.#timer);
    this.#token = token;
    this.#delay = FIRST_DELAY;
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    if (token) this.#connect();
    else this.tell("refused", "Open the address that `worpen dev` printed, or paste it here: it holds the token.");
  }

  /** Ask something; the answer comes as a message. */
  ask(question) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(question));
  }

  get #address() {
    return `${ADDRESS}?token=${encodeURIComponent(this.#token)}`;
  }

  #connect() {
    this.tell("waiting", "connecting");
    const socket = (this.#socket = new WebSocket(`ws://${location.host}${this.#address}`));
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      if (socket === this.#socket) this.#retry();
    };
  }

  #receive(message) {
    if (message.kind === "snapshot") {
      if (message.schema !== SCHEMA) return this.tell("lost", "another version: reload the page");
      this.#delay = FIRST_DELAY;
      this.tell("open", "live");
    }
    this.hear(message);
  }

  /** A browser does not say why a WebSocket failed; the same address says it to a plain request. */
  async #retry() {
    this.#socket = null;
    const token = this.#token;
    this.tell("lost", "no server, trying again");
    let status = 0;
    try {
      status = (await fetch(this.#address, { cache: "no-store" })).status;
    } catch {
      // It is not there, or not yet.
    }
    if (this.#socket || token !== this.#token) return;
    if (status === 403) {
      const reason = "The server was started anew and has another token. Paste the address that `worpen dev` printed.";
      this.tell("refused", reason);
      return;
    }
    this.#timer = setTimeout(() => this.#connect(), this.#delay);
    this.#delay = Math.min(this.#delay * 1.6, LONGEST_DELAY);
  }
}
