import { Ask } from "./ask";
import { isEnclosed } from "./query";
import { Proof } from "./proof";
import { Result } from "./result";

/** wrongSuggestions says what is wrong with an answer of search_suggest whose proof leads to the root. That is nothing where it
 * lists the first terms of the prefix, and no other stands before them or, if there are less than were asked for, behind. */
export function wrongSuggestions(ask: Ask, result: Result, proof: Proof): string {
  const leaves = proof.leaves;
  const terms = result.terms;
  const first = leaves.find(ask.text);
  for (let i = 0; i < leaves.length; i++) {
    if (leaves.at(i).whole || leaves.at(i).place != leaves.at(0).place + i) return "the proof shows what was not asked for";
  }
  if (first > 1 || !isEnclosed(ask.text, proof)) return "a term before these is not shown";
  for (let i = 0; i < terms.length; i++) {
    if (first + i >= leaves.length) return "a term is not shown";
    const leaf = leaves.at(first + i);
    if (!leaf.term.startsWith(ask.text)) return "a term does not begin so";
    if (leaf.term.order(terms.at(i).name) != 0 || leaf.df != terms.at(i).number) return "a term is another";
  }
  const behind = first + terms.length;
  if (terms.length == ask.k) return behind == leaves.length ? "" : "the proof shows what was not asked for";
  if (behind < leaves.length) {
    return behind + 1 == leaves.length && !leaves.at(behind).term.startsWith(ask.text) ? "" : "a term is left out";
  }
  const last = leaves.length > 0 ? leaves.at(leaves.length - 1).place : -1;
  return last + 1 == proof.root.terms ? "" : "a term is left out";
}
