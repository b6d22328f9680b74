import { Bytes } from "./bytes";

/** RPCRequest is one JSON-RPC request. */
export class RPCRequest {
  constructor(
    /** The exact body. */
    readonly body: Bytes,
  ) {}
}

/** RPCResponse is what one server answered. */
export class RPCResponse {
  constructor(
    /** The exact body. */
    readonly body: Bytes,
  ) {}
}

/**
 * Input is what the host hands over (protocol 5.2): {"abi":1,"config":…,"requests":[…],"responses":[…]}. The host has
 * found every body to be strict JSON, so it is enough to see where each of them ends. Members that are not known are passed
 * over.
 */
export class Input {
  config: Bytes = new Bytes(0, 0);
  requests: RPCRequest[] = [];
  responses: RPCResponse[] = [];

  /** read takes the input apart, or gives null where that cannot be done. */
  static read(at: usize, length: i32): Input | null {
    const c = new Cursor(at, at + <usize>length);
    const input = new Input();
    if (!c.take(OPEN_BRACE)) return null;
    do {
      const name = c.value(COLON);
      if (!c.take(COLON)) return null;
      if (isName(name, "requests")) {
        const bodies = c.list();
        for (let i = 0; i < bodies.length; i++) input.requests.push(new RPCRequest(bodies[i]));
      } else if (isName(name, "responses")) {
        const bodies = c.list();
        for (let i = 0; i < bodies.length; i++) input.responses.push(new RPCResponse(bodies[i]));
      } else {
        const value = c.value(CLOSE_BRACE);
        if (isName(name, "config")) input.config = value;
      }
    } while (c.take(COMMA));
    return c.take(CLOSE_BRACE) && c.at == c.end ? input : null;
  }
}

const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_BRACKET: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_BRACKET: u8 = 0x5d;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;

function isName(b: Bytes, name: string): bool {
  if (b.length != name.length + 2 || load<u8>(b.at) != QUOTE) return false;
  for (let i = 0; i < name.length; i++) {
    if (load<u8>(b.at + 1 + i) != <u8>name.charCodeAt(i)) return false;
  }
  return true;
}

/** Cursor goes through JSON text. Values are views with the white space around them, as the bodies were written. */
class Cursor {
  constructor(public at: usize, readonly end: usize) {}

  /** take passes one character, if that is what comes next. */
  take(c: u8): bool {
    if (this.at == this.end || load<u8>(this.at) != c) return false;
    this.at++;
    return true;
  }

  /** list passes an array and gives its values. */
  list(): Bytes[] {
    const values: Bytes[] = [];
    if (!this.take(OPEN_BRACKET) || this.take(CLOSE_BRACKET)) return values;
    do {
      values.push(this.value(CLOSE_BRACKET));
    } while (this.take(COMMA));
    this.take(CLOSE_BRACKET);
    return values;
  }

  /** value passes one value, up to a comma or the character that closes what it stands in. */
  value(close: u8): Bytes {
    const start = this.at;
    let at = start;
    const end = this.end;
    let depth = 0;
    for (; at < end; at++) {
      const c = load<u8>(at);
      if (c == QUOTE) {
        at = this.string(at);
      } else if (depth == 0 && (c == COMMA || c == close)) {
        break;
      } else if (c == OPEN_BRACE || c == OPEN_BRACKET) {
        depth++;
      } else if (c == CLOSE_BRACE || c == CLOSE_BRACKET) {
        depth--;
      }
    }
    this.at = at;
    return new Bytes(start, <i32>(at - start));
  }

  /** string gives the place of the quote that ends the string which begins at the given place, or the last place there is. */
  private string(at: usize): usize {
    const last = this.end - 1;
    for (at++; at < last; at++) {
      const c = load<u8>(at);
      if (c == QUOTE) break;
      if (c == BACKSLASH) at++;
    }
    return at;
  }
}
