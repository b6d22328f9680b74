import { Bytes } from "../../../verifiers/assembly/bytes";
import { HASH } from "../../../verifiers/assembly/merkle";
import { CLOSE_BRACE, OPEN_BRACE } from "../../../verifiers/assembly/scan";
import { Ask, Method } from "./ask";
import { Room, Span } from "./room";
import { Strict } from "./strict";

/** Named is an entry of a list: a term and how many documents have it, or a document and its score. */
export class Named {
  readonly name: Span = new Span();
  readonly title: Span = new Span();
  number: i64 = 0;
}

/** List is what is read of a list, into entries that are there for one answer after the other. */
export class List {
  length: i32 = 0;
  private readonly entries: Named[] = [];

  at(index: i32): Named {
    return this.entries[index];
  }

  add(): Named {
    if (this.length == this.entries.length) this.entries.push(new Named());
    return this.entries[this.length++];
  }
}

/** Result is what a result says: of search_query, search_suggest and search_document, which begin alike. */
export class Result {
  readonly root: usize = heap.alloc(HASH);
  readonly terms: List = new List();
  total: i64 = 0;
  /** The hits, or the one document. */
  readonly documents: List = new List();
  readonly text: Span = new Span();
  /** The proof, null where none was asked for. */
  proof: Bytes | null = null;

  /** read is false where these are not exactly the members that were asked for, or a list is longer than it can be. */
  read(at: usize, ask: Ask, room: Room): bool {
    const r = new Strict(at, room);
    this.terms.length = 0;
    this.documents.length = 0;
    r.token(OPEN_BRACE);
    r.name("root");
    r.hash(this.root);
    if (ask.method == Method.Document) this.document(r);
    else this.found(r, ask);
    this.proof = null;
    if (ask.proof) {
      r.next("proof");
      this.proof = r.base64();
    }
    r.token(CLOSE_BRACE);
    return !r.bad;
  }

  private document(r: Strict): void {
    const d = this.documents.add();
    r.next("doc");
    r.text(d.name);
    r.next("title");
    r.text(d.title);
    r.next("text");
    r.text(this.text);
  }

  private found(r: Strict, ask: Ask): void {
    const query = ask.method == Method.Query;
    r.next("terms");
    this.list(r, this.terms, "term", "df", query ? ask.terms.list.length : ask.k);
    if (!query) return;
    r.next("total");
    this.total = r.integer();
    r.next("hits");
    this.list(r, this.documents, "doc", "score", ask.k);
  }

  private list(r: Strict, list: List, name: string, number: string, most: i32): void {
    const titled = name == "doc";
    while (r.more(list.length)) {
      if (list.length == most) r.bad = true;
      if (r.bad) return;
      const entry = list.add();
      r.token(OPEN_BRACE);
      r.name(name);
      r.text(entry.name);
      r.next(number);
      entry.number = r.integer();
      if (titled) {
        r.next("title");
        r.text(entry.title);
      }
      r.token(CLOSE_BRACE);
    }
  }
}
