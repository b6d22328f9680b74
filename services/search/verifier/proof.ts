import { Bytes } from "../../../verifiers/assembly/bytes";
import { HASH, Hashes, LeafHash, rootOf, sameHash } from "../../../verifiers/assembly/merkle";
import { Reader } from "../../../verifiers/assembly/reader";
import { Leaves } from "./leaves";
import { List } from "./result";
import { Span } from "./room";

/** MOST_DOCUMENTS is how many documents a collection has at most. */
export const MOST_DOCUMENTS: i64 = 1 << 20;

/** Root makes the hash that names a collection. */
export class Root {
  documents: i64 = 0;
  terms: i64 = 0;
  readonly about: usize = heap.alloc(HASH);
  readonly termRoot: usize = heap.alloc(HASH);
  readonly nameRoot: usize = heap.alloc(HASH);
  readonly textRoot: usize = heap.alloc(HASH);
  private readonly hash: LeafHash = new LeafHash();

  /** is says whether that is it. */
  is(root: usize): bool {
    const label = String.UTF8.encode("barnraise search 2");
    const h = this.hash.begin().write(changetype<usize>(label), label.byteLength).write(this.about, HASH);
    this.count(this.documents);
    this.count(this.terms);
    const made = heap.alloc(HASH);
    h.write(this.termRoot, HASH).write(this.nameRoot, HASH).write(this.textRoot, HASH).end(made);
    return sameHash(made, root);
  }

  private count(n: i64): void {
    for (let shift: i64 = 24; shift >= 0; shift -= 8) this.hash.byte(<u32>(n >> shift) & 0xff);
  }
}

/** Proof is what a result shows of the collection. */
export class Proof {
  readonly root: Root = new Root();
  readonly leaves: Leaves = new Leaves();
  /** The numbers of the documents, in the order of the answer. */
  numbers: i32[] = [];
  private readonly hash: LeafHash = new LeafHash();

  /** read is false where this is no proof that the terms which it shows belong to the collection of that root, and documents of
   * these ids and titles, and one of this text. */
  read(bytes: Bytes, root: usize, documents: List, text: Span | null): bool {
    const r = new Reader(bytes);
    const about = r.take(HASH);
    this.root.documents = r.uvarint();
    this.root.terms = r.uvarint();
    if (r.bad || this.root.documents > MOST_DOCUMENTS) return false;
    memory.copy(this.root.about, about, HASH);
    if (!this.leaves.read(r, this.root.terms, this.root.termRoot)) return false;
    if (!this.readDocuments(r, documents, text)) return false;
    return r.at == r.end && this.root.is(root);
  }

  private readDocuments(r: Reader, documents: List, text: Span | null): bool {
    const count = <i32>this.root.documents;
    this.numbers = [];
    for (let i = 0; i < documents.length; i++) {
      const n = r.uvarint();
      if (r.bad || n >= count) return false;
      this.numbers.push(<i32>n);
    }
    const order = this.numbers.slice().sort((a, b) => a - b);
    const names = new Hashes(order.length);
    for (let i = 0; i < order.length; i++) {
      const d = documents.at(this.numbers.indexOf(order[i]));
      this.hash.begin().sized(d.name.at, d.name.length).sized(d.title.at, d.title.length).end(names.place(i));
    }
    if (!rootOf(count, order, names, r, this.root.nameRoot)) return false;
    const texts = new Hashes(text ? 1 : 0);
    if (text) this.hash.begin().write(text.at, text.length).end(texts.place(0));
    return rootOf(count, text ? order : [], texts, r, this.root.textRoot);
  }
}
