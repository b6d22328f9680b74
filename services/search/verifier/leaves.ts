import { HASH, Hashes, LeafHash, rootOf } from "../../../verifiers/assembly/merkle";
import { Reader } from "../../../verifiers/assembly/reader";
import { Span } from "./room";

/** Leaf is a term of the dictionary that a proof shows. */
export class Leaf {
  place: i32 = 0;
  readonly term: Span = new Span();
  df: i64 = 0;
  /** Its postings are shown too. */
  whole: bool = false;
  readonly postings: Span = new Span();
  /** Something needs it. */
  used: bool = false;
}

/** MOST_LEAVES is how many leaves a proof shows at most: two for each term of a query. */
const MOST_LEAVES: i64 = 64;

/** Leaves are those that a proof shows, in the order of the dictionary. */
export class Leaves {
  length: i32 = 0;
  private readonly leaves: Leaf[] = [];
  private readonly places: i32[] = [];
  private readonly hash: LeafHash = new LeafHash();

  at(index: i32): Leaf {
    return this.leaves[index];
  }

  /** read takes the leaves and the proof of their tree off a proof, and lays down the root of a tree of so many. It is false where
   * that is no proof. */
  read(r: Reader, count: i64, to: usize): bool {
    const shown = r.uvarint();
    if (r.bad || shown > MOST_LEAVES || count > i32.MAX_VALUE) return false;
    this.length = <i32>shown;
    this.places.length = 0;
    const hashes = new Hashes(this.length);
    let next: i64 = 0;
    for (let i = 0; i < this.length; i++) {
      const leaf = this.leaf(i);
      next += r.uvarint();
      if (next >= count) return false;
      leaf.place = <i32>next;
      next++;
      this.places.push(leaf.place);
      this.readLeaf(r, leaf, hashes.place(i));
    }
    return !r.bad && rootOf(<i32>count, this.places, hashes, r, to);
  }

  private leaf(index: i32): Leaf {
    if (index == this.leaves.length) this.leaves.push(new Leaf());
    const leaf = this.leaves[index];
    leaf.used = false;
    return leaf;
  }

  /** readLeaf reads one leaf, and lays down its hash. */
  private readLeaf(r: Reader, leaf: Leaf, to: usize): void {
    const term = r.sized();
    leaf.term.set(term.at, term.length);
    leaf.df = r.uvarint();
    const kind = r.byte();
    leaf.whole = kind == 1;
    if (leaf.whole) {
      const list = r.sized();
      leaf.postings.set(list.at, list.length);
      this.hash.begin().write(list.at, list.length).end(to);
    } else {
      const at = r.take(HASH);
      if (kind != 0 || !at) {
        r.bad = true;
        return;
      }
      leaf.postings.set(0, 0);
      memory.copy(to, at, HASH);
    }
    this.hash.begin().sized(term.at, term.length).uvarint(<u32>leaf.df).write(to, HASH).end(to);
  }

  /** find is the first leaf that does not stand before a term; the length where there is none. */
  find(term: Span): i32 {
    let i = 0;
    while (i < this.length && this.leaves[i].term.order(term) < 0) i++;
    return i;
  }

  /** allUsed says whether there is none that nothing needs. */
  allUsed(): bool {
    for (let i = 0; i < this.length; i++) {
      if (!this.leaves[i].used) return false;
    }
    return true;
  }
}
