import { Bytes } from "../../../verifiers/assembly/bytes";
import { writeHex } from "../../../verifiers/assembly/hex";

/** Output is JSON as the service writes it, in room that is measured beforehand; what needs more traps. */
export class Output {
  private readonly start: usize;
  private at: usize;
  private readonly end: usize;

  constructor(room: i32) {
    this.start = this.at = heap.alloc(<usize>room);
    this.end = this.start + <usize>room;
  }

  /** written is all of it. */
  written(): Bytes {
    return new Bytes(this.start, <i32>(this.at - this.start));
  }

  /** ascii writes characters as they are. */
  ascii(s: string): this {
    const at = this.take(s.length);
    for (let i = 0; i < s.length; i++) store<u8>(at + i, <u8>s.charCodeAt(i));
    return this;
  }

  /** hex writes a string of 0x and so many bytes in hex. */
  hex(from: usize, length: usize): this {
    const at = this.take(2 * <i32>length + 4);
    store<u8>(at, 0x22);
    store<u8>(writeHex(from, from + length, at + 1), 0x22);
    return this;
  }

  /** number writes a number that is not negative. */
  number(n: u64): this {
    let digits = 1;
    for (let rest = n; rest >= 10; rest /= 10) digits++;
    for (let at = this.take(digits) + digits; digits > 0; digits--, n /= 10) store<u8>(--at, 0x30 + <u8>(n % 10));
    return this;
  }

  /** truth writes true or false. */
  truth(is: bool): this {
    return this.ascii(is ? "true" : "false");
  }

  private take(length: i32): usize {
    if (<usize>length > this.end - this.at) unreachable();
    const at = this.at;
    this.at += <usize>length;
    return at;
  }
}
