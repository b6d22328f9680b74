import { Reader } from "../../../verifiers/assembly/reader";
import { Bytes } from "../../../verifiers/assembly/bytes";
import { Span } from "./room";

/** COUNTED marks a score whose document was counted. */
const COUNTED: u32 = 0x80000000;

/** Scores adds up what documents score. */
export class Scores {
  /** How many documents have a score. */
  total: i64 = 0;
  /** How many of these are not below the last hit. */
  best: i64 = 0;
  private room: usize = 0;
  private size: usize = 0;
  private documents: i32 = 0;

  /** begin begins anew, with so many documents. */
  begin(documents: i32): void {
    this.documents = documents;
    this.total = 0;
    this.best = 0;
    const size: usize = 4 * <usize>documents;
    if (size > this.size) {
      this.room = heap.alloc(size);
      this.size = size;
    }
    memory.fill(this.room, 0, size);
  }

  /** of is the score of a document. */
  of(document: i32): u32 {
    return load<u32>(this.room + 4 * <usize>document) & ~COUNTED;
  }

  /** add adds the postings of a term, and gives how many there are; below 0 where they are malformed. */
  add(postings: Span): i64 {
    let df: i64 = 0;
    const p = new Postings(postings, this.documents);
    while (p.next()) {
      const at = this.room + 4 * <usize>p.document;
      store<u32>(at, load<u32>(at) + p.impact);
      df++;
    }
    return p.bad ? -1 : df;
  }

  /** count goes through the documents of a term and counts those that it has not counted yet. */
  count(postings: Span, lastScore: u32, lastDocument: i32): void {
    const p = new Postings(postings, this.documents);
    while (p.next()) {
      const at = this.room + 4 * <usize>p.document;
      const score = load<u32>(at);
      if (score & COUNTED) continue;
      store<u32>(at, score | COUNTED);
      this.total++;
      if (score > lastScore || (score == lastScore && p.document <= lastDocument)) this.best++;
    }
  }
}

/** Postings goes through the documents that have a term. */
class Postings {
  document: i32 = -1;
  impact: u32 = 0;
  bad: bool = false;
  private readonly r: Reader;

  constructor(
    list: Span,
    private readonly documents: i32,
  ) {
    this.r = new Reader(new Bytes(list.at, list.length));
  }

  next(): bool {
    if (this.r.at == this.r.end) return false;
    const n = this.r.uvarint();
    const document = <i64>this.document + 1 + (n >> 11);
    this.impact = <u32>n & 0x7ff;
    if (this.r.bad || this.impact == 0 || document >= this.documents) {
      this.bad = true;
      return false;
    }
    this.document = <i32>document;
    return true;
  }
}
