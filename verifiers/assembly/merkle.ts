// Proofs that leaves stand in a tree, for whoever has its root: the other side of this house's Go package service/merkle. The
// tree is that of RFC 9162, section 2.1.1, and each hash is cut to 20 bytes.
import { Reader } from "./reader";
import { Sha256 } from "./sha256";

/** HASH is the size of a hash in bytes. */
export const HASH: usize = 20;

/** LeafHash makes the hashes of leaves, one after the other: begin, what the leaf is made of, end. */
export class LeafHash {
  private readonly hash: Sha256 = new Sha256();
  private readonly room: usize = heap.alloc(8);

  /** begin begins the next leaf. */
  begin(): this {
    this.hash.reset();
    return this.byte(0);
  }

  /** byte adds one byte. */
  byte(c: u32): this {
    store<u8>(this.room, c);
    return this.write(this.room, 1);
  }

  /** write adds so many bytes. */
  write(at: usize, length: usize): this {
    this.hash.write(at, at + length);
    return this;
  }

  /** uvarint adds a number as Reader.uvarint reads it. */
  uvarint(n: u32): this {
    for (; n >= 0x80; n >>= 7) this.byte((n & 0x7f) | 0x80);
    return this.byte(n);
  }

  /** sized adds so many bytes behind their number. */
  sized(at: usize, length: usize): this {
    return this.uvarint(<u32>length).write(at, length);
  }

  /** end lays the hash down. */
  end(to: usize): void {
    memory.copy(to, this.hash.sum(), HASH);
  }
}

/** Hashes are hashes one behind the other. */
export class Hashes {
  readonly at: usize;

  constructor(readonly length: i32) {
    this.at = heap.alloc(<usize>length * HASH);
  }

  /** place is where one of them stands. */
  place(index: i32): usize {
    return this.at + <usize>index * HASH;
  }
}

/** sameHash says whether two places hold the same hash. */
export function sameHash(a: usize, b: usize): bool {
  return memory.compare(a, b, HASH) == 0;
}

/**
 * rootOf lays down the root of the tree of so many leaves in which those chosen, ascending and each once, have these hashes. It
 * reads the proof and leaves what follows. It is false where the proof is cut short or the choice cannot be.
 */
export function rootOf(count: i32, chosen: i32[], leaves: Hashes, proof: Reader, to: usize): bool {
  if (count < 0 || chosen.length != leaves.length || chosen.length > count) return false;
  for (let i = 0; i < chosen.length; i++) {
    if (chosen[i] >= count || chosen[i] < 0 || (i > 0 && chosen[i] <= chosen[i - 1])) return false;
  }
  new Climb(chosen, leaves, proof).subtree(0, max(count, 1), 0, chosen.length, to);
  return !proof.bad;
}

/** DEEPEST is how many levels a tree has at most above its leaves. */
const DEEPEST: usize = 32;

class Climb {
  private readonly hash: Sha256 = new Sha256();
  /** Room for the left half at each level. */
  private readonly room: usize = heap.alloc(DEEPEST * HASH);
  private readonly one: usize = heap.alloc(1);

  constructor(
    private readonly chosen: i32[],
    private readonly leaves: Hashes,
    private readonly proof: Reader,
  ) {
    store<u8>(this.one, 1);
  }

  /** subtree lays down the hash over the leaves from one up to another; first up to last are those among the chosen. */
  subtree(from: i32, end: i32, first: i32, last: i32, to: usize, level: usize = 0): void {
    if (this.proof.bad) return;
    if (first == last) {
      const at = this.proof.take(HASH);
      if (at) memory.copy(to, at, HASH);
      return;
    }
    if (end - from == 1) {
      memory.copy(to, this.leaves.place(first), HASH);
      return;
    }
    const middle = from + (1 << (31 - clz(end - from - 1)));
    let split = first;
    while (split < last && unchecked(this.chosen[split]) < middle) split++;
    const left = this.room + level * HASH;
    this.subtree(from, middle, first, split, left, level + 1);
    this.subtree(middle, end, split, last, to, level + 1);
    this.node(left, to);
  }

  /** node lays down the hash over two, the right one of which stands there. */
  private node(left: usize, right: usize): void {
    this.hash.reset();
    this.hash.write(this.one, this.one + 1);
    this.hash.write(left, left + HASH);
    this.hash.write(right, right + HASH);
    memory.copy(right, this.hash.sum(), HASH);
  }
}
