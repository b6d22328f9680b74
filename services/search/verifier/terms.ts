import { Span } from "./room";
import { Words } from "./words";

/** MOST_TERMS is how many different terms a query has at most. */
export const MOST_TERMS: i32 = 32;

/** Terms are the terms of a query, each once, in its order. */
export class Terms {
  readonly list: Span[] = [];

  /** read finds them, and is false where there are too many. */
  read(text: Span): bool {
    const words = new Words(text);
    const term = new Span();
    while (words.nextTerm()) {
      term.set(words.word.at, words.word.length);
      if (this.place(term) >= 0) continue;
      if (this.list.length == MOST_TERMS) return false;
      const own = new Span();
      own.set(words.take(), term.length);
      this.list.push(own);
    }
    return true;
  }

  /** place is where a term stands, and below 0 where it does not. */
  place(term: Span): i32 {
    for (let i = 0; i < this.list.length; i++) {
      if (this.list[i].order(term) == 0) return i;
    }
    return -1;
  }
}
