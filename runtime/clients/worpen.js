// A client of worpen.v1 (docs/protocol.md): connects again by itself, resumes where it was, and tells what it missed.
// One file without dependencies, for browsers and Node (20 and 21 with --experimental-websocket, or `WebSocket` given).
//
//   import { connect } from './worpen.js';
//   const client = connect('ws://localhost:3000/api/ws/news', {
//     onmessage: ({ data, channel }) => show(data),
//     onlost: ({ channel, missed }) => reload(),      // missed: how many, or null where nobody knows
//   });
//   client.send('hello');                             // throws while there is no connection: nothing is queued

const PROTOCOL = 'worpen.v1';

/** Room for what is asked for: servers take no longer addresses. Of further channels all counts as lost. */
const ADDRESS_CHARACTERS = 6_000;

/** Close codes after which connecting again can help; all others end the client. */
export const RETRY_CODES = new Set([1001, 1005, 1006, 1011, 1012, 1013, 4010]);

/**
 * Options, all of them optional:
 *
 * - onmessage({data, channel, offset}): a message; `data` is a text, or a Uint8Array of a binary frame
 * - onlost({channel, missed}): messages that will not come; `channel` is null where this concerns all of them
 * - onrecovered({channel, messages}): so many missed messages have just been handed to onmessage
 * - onopen({id, again}): connected; `again`: not for the first time
 * - onclose({code, reason, delay}): the connection is over; `delay`: milliseconds until the next attempt, null: none
 * - base, cap: milliseconds; the n-th attempt in a row waits a random time up to min(cap, base * 2^n)
 * - patience: milliseconds in which a connection must be open; after that it is tried again
 * - steady: milliseconds after which a connection counts as good, and attempts are counted anew
 * - retries(code): whether to connect again after this close code
 * - protocols: further subprotocols to offer; WebSocket, random: to be used instead of the platform's
 */
export class WorpenClient {
  #url;
  #options;
  #socket = null;
  #places = new Map();
  #leftOut = [];
  #attempt = 0;
  #timer = null;
  #isOver = false;
  #wasOpen = false;
  #openedAt = 0;

  constructor(url, options = {}) {
    this.#url = url;
    this.#options = {
      base: 500,
      cap: 30_000,
      patience: 10_000,
      steady: 5_000,
      retries: (code) => RETRY_CODES.has(code),
      protocols: [],
      WebSocket: globalThis.WebSocket,
      random: Math.random,
      ...options,
    };
    this.#connect();
  }

  /** Whether something can be sent now. */
  get isOpen() {
    return this.#socket !== null && this.#socket.readyState === 1;
  }

  /** Send a text or bytes. Throws while there is no connection: it is for the application to decide what then. */
  send(data) {
    if (!this.isOpen) throw new Error('not connected: nothing was sent');
    this.#socket.send(data);
  }

  /** End for good. */
  close(code = 1000, reason = '') {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#socket?.close(code, reason);
  }

  #connect() {
    const url = new URL(this.#url, globalThis.location?.href);
    const asked = this.#asked();
    if (asked.length > 0) url.searchParams.set('recover', `{${asked.join()}}`);
    const socket = new this.#options.WebSocket(url.href, [PROTOCOL, ...this.#options.protocols]);
    this.#socket = socket;
    // Node 20 says nothing, or `error` without `close`, of some connections that never open.
    const end = (event) => {
      clearTimeout(patience);
      socket.onopen = socket.onmessage = socket.onclose = socket.onerror = null;
      if (this.#socket === socket) this.#closed(event);
    };
    const giveUp = () => {
      end({ code: 1006, reason: '' });
      socket.close();
    };
    const patience = setTimeout(giveUp, this.#options.patience);
    socket.onopen = () => clearTimeout(patience);
    socket.onmessage = (event) => this.#hear(event.data);
    socket.onclose = end;
    socket.onerror = () => setTimeout(() => this.#socket === socket && giveUp(), 0);
  }

  /** Where this client stood, as members of a JSON object: as many as an address has room for. */
  #asked() {
    let room = ADDRESS_CHARACTERS;
    const asked = [];
    for (const [channel, place] of this.#places) {
      const entry = `${JSON.stringify(channel)}:${JSON.stringify(place)}`;
      room -= encodeURIComponent(entry).length + 3;
      if (room >= 0) {
        asked.push(entry);
      } else {
        this.#places.delete(channel);
        this.#leftOut.push(channel);
      }
    }
    return asked;
  }

  #hear(raw) {
    const told = JSON.parse(raw);
    const { type, channel, epoch, offset } = told;
    this.#note(channel, epoch, offset, type);
    switch (type) {
      case 'welcome':
        this.#welcome(told);
        break;
      case 'message':
        this.#tell('onmessage', { data: 'base64' in told ? bytesOf(told.base64) : told.data, channel, offset });
        break;
      case 'lost':
        this.#tell('onlost', { channel, missed: told.missed });
        break;
      case 'recovered':
        this.#tell('onrecovered', { channel, messages: told.messages });
        break;
    }
  }

  /** Where this client stands in a channel, told by whatever has an offset. */
  #note(channel, epoch, offset, type) {
    if (channel === undefined) return;
    if (epoch !== undefined) this.#places.set(channel, [epoch, offset]);
    else if (offset !== undefined && this.#places.has(channel)) this.#places.get(channel)[1] = offset;
    else if (type === 'lost') this.#places.delete(channel);
  }

  #welcome({ id, recovers }) {
    const again = this.#wasOpen;
    this.#wasOpen = true;
    this.#openedAt = Date.now();
    this.#tell('onopen', { id, again });
    for (const channel of this.#leftOut.splice(0)) this.#tell('onlost', { channel, missed: null });
    if (again && !recovers) this.#tell('onlost', { channel: null, missed: null });
  }

  #closed({ code, reason }) {
    this.#socket = null;
    const again = !this.#isOver && this.#options.retries(code);
    if (this.#openedAt > 0 && Date.now() - this.#openedAt >= this.#options.steady) this.#attempt = 0;
    this.#openedAt = 0;
    const delay = again ? this.#delay() : null;
    if (again) this.#timer = setTimeout(() => this.#connect(), delay);
    this.#tell('onclose', { code, reason, delay });
  }

  /** Full jitter: any time up to a bound that doubles, so that many clients do not come back at once. */
  #delay() {
    const most = Math.min(this.#options.cap, this.#options.base * 2 ** this.#attempt);
    this.#attempt += 1;
    return this.#options.random() * most;
  }

  #tell(name, event) {
    this.#options[name]?.(event);
  }
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** A client that connects now. */
export function connect(url, options) {
  return new WorpenClient(url, options);
}
