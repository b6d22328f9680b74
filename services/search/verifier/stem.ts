// Porter's second English algorithm, as published at https://snowballstem.org/algorithms/english/stemmer.html in the edition that
// the index has. Its words are small letters only, so there are no apostrophes to be seen to.
import { Word } from "./word";

/** stem cuts a word down to its term. */
export function stem(w: Word): void {
  if (w.length <= 2 || special(w)) return;
  markYs(w);
  findRegions(w);
  plural(w);
  past(w);
  finalY(w);
  derived(w);
  derivedAgain(w);
  residual(w);
  finalEL(w);
  for (let i = 0; i < w.length; i++) {
    if (w.letter(i) == 0x59) store<u8>(w.at + i, 0x79);
  }
}

// Words whose stem is their own affair: the word, and what it becomes.
// @ts-ignore: decorator
@lazy
const SPECIAL: StaticArray<string> = [
  "skis", "ski", "skies", "sky", "dying", "die", "lying", "lie", "tying", "tie", "idly", "idl", "gently", "gentl", "ugly", "ugli",
  "early", "earli", "only", "onli", "singly", "singl", "sky", "sky", "news", "news", "howe", "howe", "atlas", "atlas",
  "cosmos", "cosmos", "bias", "bias", "andes", "andes", "inning", "inning", "innings", "inning", "outing", "outing",
  "outings", "outing", "canning", "canning", "cannings", "canning", "herring", "herring", "herrings", "herring",
  "earring", "earring", "earrings", "earring", "proceed", "proceed", "proceeds", "proceed", "proceeded", "proceed",
  "proceeding", "proceed", "exceed", "exceed", "exceeds", "exceed", "exceeded", "exceed", "exceeding", "exceed",
  "succeed", "succeed", "succeeds", "succeed", "succeeded", "succeed", "succeeding", "succeed",
];

function special(w: Word): bool {
  for (let i = 0; i < SPECIAL.length; i += 2) {
    if (!w.is(SPECIAL[i])) continue;
    w.replace(w.length, SPECIAL[i + 1]);
    return true;
  }
  return false;
}

/** markYs makes a capital of each y that begins the word or follows a vowel. */
function markYs(w: Word): void {
  for (let i = 0; i < w.length; i++) {
    if (w.letter(i) == 0x79 && (i == 0 || w.isVowel(i - 1))) store<u8>(w.at + i, 0x59);
  }
}

function findRegions(w: Word): void {
  if (w.startsWith("gener") || w.startsWith("arsen")) w.r1 = 5;
  else if (w.startsWith("commun")) w.r1 = 6;
  else w.r1 = behindSyllable(w, 0);
  w.r2 = behindSyllable(w, w.r1);
}

/** behindSyllable is the place behind the first other letter that follows a vowel, from a place on. */
function behindSyllable(w: Word, from: i32): i32 {
  for (let i = from + 1; i < w.length; i++) {
    if (w.isVowel(i - 1) && !w.isVowel(i)) return i + 1;
  }
  return w.length;
}

/** plural is step 1a. */
function plural(w: Word): void {
  if (w.endsWith("sses")) return w.replace(2, "");
  if (w.endsWith("ied") || w.endsWith("ies")) return w.replace(w.length > 4 ? 2 : 1, "");
  if (w.endsWith("us") || w.endsWith("ss") || !w.endsWith("s")) return;
  if (w.hasVowel(w.length - 2)) w.replace(1, "");
}

/** past is step 1b. */
function past(w: Word): void {
  const at = first(w, PAST);
  if (at < 0) return;
  const length = PAST[at].length;
  if (PAST[at + 1].length > 0) {
    if (length <= w.length - w.r1) w.replace(length, PAST[at + 1]);
    return;
  }
  if (!w.hasVowel(w.length - length)) return;
  const r1 = w.r1;
  const r2 = w.r2;
  w.replace(length, "");
  if (w.endsWith("at") || w.endsWith("bl") || w.endsWith("iz")) {
    w.replace(0, "e");
  } else if (endsDouble(w)) {
    w.replace(1, "");
  } else if (w.r1 >= w.length && w.endsShort(w.length)) {
    w.replace(0, "e");
    w.r1 = w.length;
    w.r2 = w.length;
    return;
  }
  w.r1 = min(r1, w.length);
  w.r2 = min(r2, w.length);
}

// @ts-ignore: decorator
@lazy
const PAST: StaticArray<string> = ["eedly", "ee", "ingly", "", "edly", "", "ing", "", "eed", "ee", "ed", ""];

/** endsDouble says whether it ends in one of bb dd ff gg mm nn pp rr tt. */
function endsDouble(w: Word): bool {
  if (w.length < 2) return false;
  const c = w.letter(w.length - 1);
  return c == w.letter(w.length - 2) && "bdfgmnprt".includes(String.fromCharCode(c));
}

/** finalY is step 1c. */
function finalY(w: Word): void {
  if (w.length <= 2 || (w.letter(w.length - 1) | 0x20) != 0x79 || w.isVowel(w.length - 2)) return;
  store<u8>(w.at + w.length - 1, 0x69);
}

/** first is the place in a list of the first suffix that it ends in, and below 0 where there is none. Behind each stands what
 * takes its place. */
function first(w: Word, list: StaticArray<string>): i32 {
  for (let i = 0; i < list.length; i += 2) {
    if (w.endsWith(list[i])) return i;
  }
  return -1;
}

/** derived is step 2. */
function derived(w: Word): void {
  const at = first(w, DERIVED);
  if (at < 0) return;
  const length = DERIVED[at].length;
  if (length > w.length - w.r1) return;
  if (DERIVED[at] == "li") {
    if (w.length < 3 || !"cdeghkmnrt".includes(String.fromCharCode(w.letter(w.length - 3)))) return;
  } else if (DERIVED[at] == "ogi") {
    if (w.length < 4 || w.letter(w.length - 4) != 0x6c) return;
  }
  w.replace(length, DERIVED[at + 1]);
}

// @ts-ignore: decorator
@lazy
const DERIVED: StaticArray<string> = [
  "ational", "ate", "fulness", "ful", "iveness", "ive", "ization", "ize", "ousness", "ous", "biliti", "ble", "lessli", "less",
  "tional", "tion", "alism", "al", "aliti", "al", "ation", "ate", "entli", "ent", "fulli", "ful", "iviti", "ive", "ousli", "ous",
  "anci", "ance", "abli", "able", "alli", "al", "ator", "ate", "enci", "ence", "izer", "ize", "bli", "ble", "ogi", "og", "li", "",
];

/** derivedAgain is step 3. */
function derivedAgain(w: Word): void {
  const at = first(w, AGAIN);
  if (at < 0) return;
  const length = AGAIN[at].length;
  if (length > w.length - w.r1) return;
  if (AGAIN[at] == "ative" && w.length - w.r2 < 5) return;
  w.replace(length, AGAIN[at + 1]);
}

// @ts-ignore: decorator
@lazy
const AGAIN: StaticArray<string> = [
  "ational", "ate", "tional", "tion", "alize", "al", "icate", "ic", "ative", "", "iciti", "ic", "ical", "ic",
  "ful", "", "ness", "",
];

/** residual is step 4. */
function residual(w: Word): void {
  const at = first(w, RESIDUAL);
  if (at < 0) return;
  const length = RESIDUAL[at].length;
  if (length > w.length - w.r2) return;
  if (RESIDUAL[at] == "ion") {
    const c = w.length < 4 ? 0 : w.letter(w.length - 4);
    if (c != 0x73 && c != 0x74) return; // st
  }
  w.replace(length, "");
}

// @ts-ignore: decorator
@lazy
const RESIDUAL: StaticArray<string> = [
  "ement", "", "ance", "", "ence", "", "able", "", "ible", "", "ment", "", "ent", "", "ant", "", "ism", "", "ate", "", "iti", "",
  "ous", "", "ive", "", "ize", "", "ion", "", "al", "", "er", "", "ic", "",
];

/** finalEL is step 5. */
function finalEL(w: Word): void {
  const last = w.length - 1;
  if (w.r1 > last) return;
  const c = w.letter(last);
  if (c == 0x65) {
    if (w.r2 <= last || !w.endsShort(last)) w.replace(1, "");
  } else if (c == 0x6c && w.r2 <= last && last > 0 && w.letter(last - 1) == 0x6c) {
    w.replace(1, "");
  }
}
