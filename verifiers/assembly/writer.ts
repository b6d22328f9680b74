/** Writer puts ASCII into room that is measured beforehand: a verdict is short. */
export class Writer {
  private at: usize;
  private length: i32 = 0;

  constructor(private readonly room: i32) {
    this.at = heap.alloc(<usize>room);
  }

  /** ascii writes characters as they are. */
  ascii(s: string): void {
    for (let i = 0; i < s.length; i++) this.byte(<u8>s.charCodeAt(i));
  }

  /** text writes the inside of a JSON string: what would have to be escaped becomes a question mark. */
  text(s: string): void {
    for (let i = 0; i < s.length; i++) {
      const c = s.charCodeAt(i);
      this.byte(c < 0x20 || c > 0x7e || c == 0x22 || c == 0x5c ? 0x3f : <u8>c);
    }
  }

  /** integer writes a number from -1 to 99. */
  integer(n: i32): void {
    if (n < 0) {
      this.byte(0x2d);
      n = -n;
    }
    if (n > 9) this.byte(0x30 + <u8>(n / 10));
    this.byte(0x30 + <u8>(n % 10));
  }

  /** place is where it was written, in the upper half, and how much, in the lower. */
  place(): u64 {
    return (<u64>this.at << 32) | <u64>this.length;
  }

  private byte(c: u8): void {
    if (this.length == this.room) unreachable();
    store<u8>(this.at + this.length++, c);
  }
}
