import { Ask } from "./ask";
import { Leaf } from "./leaves";
import { Proof } from "./proof";
import { List, Result } from "./result";
import { Span } from "./room";
import { Scores } from "./scores";

/** MOST_POSTINGS is how many bytes of postings are read for an answer with a proof. */
const MOST_POSTINGS: i64 = 512 << 10;

/** sameTerms says what is wrong with the terms of an answer, which are the query's in their order; empty where nothing is. */
export function sameTerms(ask: Ask, result: Result): string {
  const list = ask.terms.list;
  if (result.terms.length != list.length) return "these are not the query's terms";
  for (let i = 0; i < list.length; i++) {
    if (result.terms.at(i).name.order(list[i]) != 0) return "these are not the query's terms";
  }
  return "";
}

/** Query checks answers of search_query whose proof leads to the root. */
export class Query {
  private readonly scores: Scores = new Scores();

  /** wrong says what is wrong with an answer, and is empty where it is right and complete. */
  wrong(ask: Ask, result: Result, proof: Proof): string {
    const problem = this.wrongTerms(ask, result.terms, proof);
    return problem.length > 0 ? problem : this.wrongHits(ask, result, proof);
  }

  /** wrongTerms adds up the postings of all terms that there are, and sees that the others are not there. */
  private wrongTerms(ask: Ask, terms: List, proof: Proof): string {
    this.scores.begin(<i32>proof.root.documents);
    let size: i64 = 0;
    for (let i = 0; i < ask.terms.list.length; i++) {
      const leaf = shown(ask.terms.list[i], proof);
      if (!leaf) {
        if (terms.at(i).number != 0 || !isEnclosed(ask.terms.list[i], proof)) return "a term is not shown";
        continue;
      }
      size += leaf.postings.length;
      const df = this.scores.add(leaf.postings);
      if (!leaf.whole || df < 1 || df != leaf.df || df != terms.at(i).number) return "a term has other documents";
    }
    for (let i = 0; i < proof.leaves.length; i++) {
      const leaf = proof.leaves.at(i);
      if (leaf.whole && ask.terms.place(leaf.term) < 0) return "the proof shows what was not asked for";
    }
    if (!proof.leaves.allUsed()) return "the proof shows what was not asked for";
    return size > MOST_POSTINGS ? "the terms are too common to be proven" : "";
  }

  /** wrongHits sees that each hit has its score, that they are in order, and that no other document is before the last. */
  private wrongHits(ask: Ask, result: Result, proof: Proof): string {
    const hits = result.documents;
    let score: i64 = i64.MAX_VALUE;
    let document = -1;
    for (let i = 0; i < hits.length; i++) {
      const next = hits.at(i).number;
      const n = proof.numbers[i];
      if (next == 0 || next != <i64>this.scores.of(n)) return "a document has another score";
      if (next > score || (next == score && n <= document)) return "the hits are out of order";
      score = next;
      document = n;
    }
    for (let i = 0; i < ask.terms.list.length; i++) {
      const leaf = shown(ask.terms.list[i], proof);
      if (leaf) this.scores.count(leaf.postings, hits.length > 0 ? <u32>score : u32.MAX_VALUE, document);
    }
    if (this.scores.total != result.total) return "the total is another";
    if (this.scores.best != hits.length || hits.length != min<i64>(ask.k, result.total)) return "a hit is missing";
    return "";
  }
}

/** shown is the leaf of a term that the collection has; null where the proof shows none. */
function shown(term: Span, proof: Proof): Leaf | null {
  const i = proof.leaves.find(term);
  if (i == proof.leaves.length) return null;
  const leaf = proof.leaves.at(i);
  if (leaf.term.order(term) != 0) return null;
  leaf.used = true;
  return leaf;
}

/** isEnclosed says whether the proof shows what stands before the place of a term in the dictionary and what stands there, unless
 * that is one of its ends. */
export function isEnclosed(term: Span, proof: Proof): bool {
  const leaves = proof.leaves;
  const i = leaves.find(term);
  let left = -1;
  if (i > 0) {
    left = leaves.at(i - 1).place;
    leaves.at(i - 1).used = true;
  }
  if (i == leaves.length) return left + 1 == proof.root.terms;
  leaves.at(i).used = true;
  return left + 1 == leaves.at(i).place;
}
