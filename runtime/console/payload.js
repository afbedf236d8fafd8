// What is in a frame: for the eye, and from the keyboard.

const SHOWN_CHARACTERS = 20_000;
const SHOWN_BYTES = 512;
const FORMATTED_FROM = 60;
const encoder = new TextEncoder();

/** How a frame is shown: its kind, its size in bytes, its text, and for longer JSON a laid out form. */
export function describe(payload) {
  if (payload instanceof ArrayBuffer) {
    const bytes = new Uint8Array(payload);
    return { kind: "binary", size: bytes.length, text: hex(bytes), formatted: "" };
  }
  const size = encoder.encode(payload).length;
  const text = clip(payload, SHOWN_CHARACTERS);
  const value = payload.length <= SHOWN_CHARACTERS ? jsonObject(payload) : undefined;
  if (value === undefined) return { kind: "text", size, text, formatted: "" };
  const formatted = payload.length >= FORMATTED_FROM ? JSON.stringify(value, null, 2) : "";
  return { kind: "json", size, text, formatted };
}

function clip(text, most) {
  return text.length > most ? `${text.slice(0, most)}… (${text.length - most} more characters)` : text;
}

function jsonObject(text) {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hex(bytes) {
  const shown = Array.from(bytes.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > SHOWN_BYTES ? `${shown} … (${bytes.length - SHOWN_BYTES} more bytes)` : shown;
}

/** `12 B`, `3.4 KB`. */
export function showSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** What to send for what was typed, as `text`, `json` or `binary`. Throws an Error whose message is for the reader. */
export function prepare(typed, kind) {
  if (kind === "text") return typed;
  if (kind === "json") {
    try {
      JSON.parse(typed);
    } catch (error) {
      throw new Error(`not JSON: ${error.message}`);
    }
    return typed;
  }
  return typed.startsWith("base64:") ? fromBase64(typed.slice(7)) : fromHex(typed);
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  } catch {
    throw new Error("not base64");
  }
}

function fromHex(text) {
  const digits = text.replace(/0x|[\s,]/gi, "");
  if (digits.length % 2 || /[^0-9a-f]/i.test(digits)) {
    throw new Error("bytes are pairs of hexadecimal digits, as in `de ad be ef`, or base64 after `base64:`");
  }
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
