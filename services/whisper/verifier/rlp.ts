/**
 * RLP goes through the items of Ethereum's recursive length prefix, and takes only the one way there is to write each. What is not
 * there, or written otherwise, is read as nothing, and bad says so from then on.
 */
export class RLP {
  bad: bool = false;
  /** How many bytes the string has that was passed last. */
  length: usize = 0;

  constructor(public at: usize, readonly end: usize) {}

  /** list passes the head of a list, which has to be all that there is. */
  list(): void {
    this.head(0xc0);
    if (this.length != this.end - this.at) this.bad = true;
  }

  /** text passes a string and gives its place. */
  text(): usize {
    const first: u32 = this.at < this.end ? load<u8>(this.at) : 0xff;
    if (first < 0x80) {
      this.length = 1;
      return this.at++;
    }
    this.head(0x80);
    if (this.length > this.end - this.at) this.bad = true;
    if (this.bad) this.length = 0;
    const at = this.at;
    if (this.length == 1 && load<u8>(at) < 0x80) this.bad = true;
    this.at += this.length;
    return at;
  }

  /** number passes a number of at most so many bytes. */
  number(most: usize): u64 {
    const at = this.text();
    if (this.length > most || (this.length > 0 && load<u8>(at) == 0)) this.bad = true;
    let n: u64 = 0;
    for (let i: usize = 0; !this.bad && i < this.length; i++) n = (n << 8) | load<u8>(at + i);
    return n;
  }

  /** head passes what stands before an item: of a string for 0x80, of a list for 0xc0. */
  private head(kind: u32): void {
    const first: u32 = this.at < this.end ? load<u8>(this.at++) : 0;
    if (first < kind || first > kind + 0x3f) this.bad = true;
    this.length = first - kind;
    if (this.bad || this.length <= 55) return;
    const bytes = this.length - 55;
    if (bytes > 4 || bytes > this.end - this.at || load<u8>(this.at) == 0) {
      this.bad = true;
      return;
    }
    let n: u64 = 0;
    for (let i: usize = 0; i < bytes; i++) n = (n << 8) | load<u8>(this.at++);
    this.length = <usize>n;
    if (n <= 55 || n > 0x7fffffff) this.bad = true;
  }
}

/** writeListHead writes what stands before a list whose items have so many bytes, and gives the place behind. */
export function writeListHead(length: usize, to: usize): usize {
  if (length <= 55) {
    store<u8>(to, 0xc0 + <u8>length);
    return to + 1;
  }
  const bytes = (39 - clz<u32>(<u32>length)) >> 3;
  store<u8>(to++, 0xf7 + <u8>bytes);
  for (let shift = 8 * (bytes - 1); shift >= 0; shift -= 8, to++) store<u8>(to, <u8>(length >> shift));
  return to;
}
