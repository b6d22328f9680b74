/** Span is some bytes, of which nothing is copied. */
export class Span {
  at: usize = 0;
  length: i32 = 0;

  set(at: usize, length: i32): void {
    this.at = at;
    this.length = length;
  }

  /** order compares the bytes of two: below 0, 0 or above it. */
  order(other: Span): i32 {
    const c = memory.compare(this.at, other.at, min(this.length, other.length));
    return c != 0 ? c : this.length - other.length;
  }

  /** startsWith says whether the bytes begin with those of another. */
  startsWith(other: Span): bool {
    return this.length >= other.length && memory.compare(this.at, other.at, other.length) == 0;
  }
}

/** Room is where the texts of one answer are laid down. What is read from it takes no more bytes there, so the same room does for
 * one answer after the other, however many there are. */
export class Room {
  private readonly begin: usize;
  private readonly end: usize;
  private next: usize;

  constructor(size: usize) {
    this.begin = heap.alloc(size);
    this.end = this.begin + size;
    this.next = this.begin;
  }

  /** clear begins anew. */
  clear(): void {
    this.next = this.begin;
  }

  /** take gives so many bytes. */
  take(size: usize): usize {
    if (size > this.end - this.next) unreachable();
    const at = this.next;
    this.next += size;
    return at;
  }
}
