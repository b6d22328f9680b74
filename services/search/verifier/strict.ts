import { COMMA, OPEN_BRACKET, CLOSE_BRACKET, QUOTE, skipColon, skipSpace, skipString } from "../../../verifiers/assembly/scan";
import { decodeText } from "../../../verifiers/assembly/text";
import { base64At } from "../../../verifiers/assembly/base64";
import { Bytes } from "../../../verifiers/assembly/bytes";
import { HASH } from "../../../verifiers/assembly/merkle";
import { Room, Span } from "./room";

/**
 * Strict reads a result that has to have certain members in a certain order, and no others. What is not as it should be sets bad,
 * and then nothing more is read. It is JSON by the time it gets here, so no step leads beyond it.
 */
export class Strict {
  bad: bool = false;

  constructor(
    private at: usize,
    private readonly room: Room,
  ) {}

  /** token passes a character. */
  token(c: u8): void {
    if (!this.maybe(c)) this.bad = true;
  }

  /** maybe passes a character if that is what comes next. */
  maybe(c: u8): bool {
    if (this.bad || load<u8>(this.at) != c) return false;
    this.at = skipSpace(this.at + 1);
    return true;
  }

  /** name passes the name of a member, written without escapes. */
  name(name: string): void {
    if (this.bad || load<u8>(this.at) != QUOTE) return this.fail();
    const end = skipString(this.at);
    if (end - this.at != name.length + 2) return this.fail();
    for (let i = 0; i < name.length; i++) {
      if (load<u8>(this.at + 1 + i) != <u8>name.charCodeAt(i)) return this.fail();
    }
    this.at = skipColon(end);
  }

  /** next passes the comma before a member, and its name. */
  next(name: string): void {
    this.token(COMMA);
    this.name(name);
  }

  /** more is true before each element of an array; index is how many there were. */
  more(index: i32): bool {
    if (index == 0) {
      this.token(OPEN_BRACKET);
      return !this.maybe(CLOSE_BRACKET) && !this.bad;
    }
    if (this.maybe(COMMA)) return true;
    this.token(CLOSE_BRACKET);
    return false;
  }

  /** text passes a string, and lays down what it means. */
  text(into: Span): void {
    if (this.bad || load<u8>(this.at) != QUOTE) return this.fail();
    const end = skipString(this.at);
    const to = this.room.take(end - this.at);
    into.set(to, <i32>(decodeText(this.at, to) - to));
    this.at = skipSpace(end);
  }

  /** integer passes a whole number from 0 to 2^32 - 1. */
  integer(): i64 {
    if (this.bad) return 0;
    let n: i64 = 0;
    let at = this.at;
    for (; at - this.at < 10; at++) {
      const c: u32 = <u32>load<u8>(at) - 0x30;
      if (c > 9) break;
      n = n * 10 + c;
    }
    const c = load<u8>(at);
    if (at == this.at || n >> 32 != 0 || (c > 0x20 && c != COMMA && c != CLOSE_BRACKET && c != 0x7d)) this.bad = true;
    this.at = skipSpace(at);
    return this.bad ? 0 : n;
  }

  /** hash passes a string of 40 digits in lower-case hex, and lays down what they write. */
  hash(to: usize): void {
    const text = new Span();
    this.text(text);
    if (this.bad || !readHash(text, to)) this.bad = true;
  }

  /** base64 passes a string of base64, and gives its bytes; null where it is none. */
  base64(): Bytes | null {
    if (this.bad || load<u8>(this.at) != QUOTE) {
      this.bad = true;
      return null;
    }
    const end = skipString(this.at);
    const bytes = base64At(this.at, this.room.take(end - this.at));
    if (!bytes) this.bad = true;
    this.at = skipSpace(end);
    return bytes;
  }

  private fail(): void {
    this.bad = true;
  }
}

/** readHash lays down the 20 bytes that 40 digits in lower-case hex write, and is false where these are none. */
export function readHash(text: Span, to: usize): bool {
  if (text.length != 2 * <i32>HASH) return false;
  for (let i: usize = 0; i < HASH; i++) {
    const high = digit(load<u8>(text.at + 2 * i));
    const low = digit(load<u8>(text.at + 2 * i + 1));
    if (high < 0 || low < 0) return false;
    store<u8>(to + i, (high << 4) | low);
  }
  return true;
}

function digit(c: u32): i32 {
  if (c - 0x30 < 10) return c - 0x30;
  return c - 0x61 < 6 ? c - 0x57 : -1;
}
