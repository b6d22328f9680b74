import { Bytes } from "../assembly/bytes";
import { Decimal } from "../assembly/number";
import {
  CLOSE_BRACE, CLOSE_BRACKET, COMMA, MAX_DEPTH, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipColon, skipSpace, skipString, skipValue,
} from "../assembly/scan";
import { afterFirst, afterSecond, orderText } from "../assembly/text";
import { gather, gathered, order, overDeep } from "./canonical";
import { IGNORED, SET, TOLERATED, all, effects, enterElement, enterMember, within } from "./rules";
import { begin, ensure, find, setTop, sort, top } from "./scratch";

/** tooDeep says that an answer nests too deep to be looked at. */
export let tooDeep: bool = false;

// Two walks, one through each answer, side by side. The rules that may still lead somewhere go with them.
let a: usize = 0;
let b: usize = 0;

const left = new Decimal();
const right = new Decimal();

/** agree says whether two answers are the same value, save for what the rules tolerate. */
export function agree(first: Bytes, second: Bytes): bool {
  begin();
  a = skipSpace(first.at);
  b = skipSpace(second.at);
  const found = same(0, 0, all());
  tooDeep = tooDeep || overDeep;
  return found && !tooDeep;
}

/** same compares the values at hand, and goes behind them where they are the same. */
function same(level: i32, from: i32, to: i32): bool {
  const effect = from < to ? effects(level, from, to) : 0;
  const c = load<u8>(a);
  const d = load<u8>(b);
  if (effect & IGNORED) return pass();
  if (c == QUOTE) return d == QUOTE && sameText();
  if (c == OPEN_BRACE) return d == OPEN_BRACE && sameObject(level, from, to);
  if (c == OPEN_BRACKET) return d == OPEN_BRACKET && sameArray(level, from, to, (effect & SET) != 0);
  if (c < 0x40) return d < 0x40 && d != QUOTE && sameNumber((effect & TOLERATED) != 0, level, from, to);
  return c == d && pass(); // true, false, null
}

/** pass goes behind both values. */
function pass(): bool {
  a = skipValue(a);
  b = skipValue(b);
  return true;
}

function sameText(): bool {
  if (orderText(a, b) != 0) return false;
  a = afterFirst;
  b = afterSecond;
  return true;
}

function sameNumber(tolerated: bool, level: i32, from: i32, to: i32): bool {
  let p = a;
  let q = b;
  while (true) {
    const c = load<u8>(p);
    if (c != load<u8>(q)) break;
    if (c <= 0x20 || c == COMMA || (c | 0x20) == CLOSE_BRACE) {
      a = p;
      b = q;
      return true;
    }
    p++;
    q++;
  }
  left.read(a);
  right.read(b);
  a = left.end;
  b = right.end;
  if (left.equals(right)) return true;
  return tolerated && within(left.toNumber(), right.toNumber(), level, from, to);
}

function sameArray(level: i32, from: i32, to: i32, set: bool): bool {
  if (level >= MAX_DEPTH) return stop();
  a = skipSpace(a + 1);
  b = skipSpace(b + 1);
  if (load<u8>(a) == CLOSE_BRACKET || load<u8>(b) == CLOSE_BRACKET) return closing();
  for (let i = 0; ; i++) {
    const p = a;
    const q = b;
    const mark = top;
    const end = from < to ? enterElement(i, set, level, from, to) : to;
    if (!same(level + 1, to, end)) {
      if (!set) return false;
      setTop(mark);
      a = p;
      b = q;
      return sameSet(level, from, to);
    }
    a = skipSpace(a);
    b = skipSpace(b);
    if (load<u8>(a) != COMMA || load<u8>(b) != COMMA) break;
    a = skipSpace(a + 1);
    b = skipSpace(b + 1);
  }
  return closing();
}

/** closing goes behind the brackets that end both, and is false where one goes on. */
function closing(): bool {
  return load<u8>(a++) == load<u8>(b++);
}

/** sameSet compares what is left of two sets: as many of each element, in any order. */
function sameSet(level: i32, from: i32, to: i32): bool {
  const mark = top;
  a = gather(a, level, from, to);
  let p = gathered;
  const end = top;
  b = gather(b, level, from, to);
  let q = gathered;
  let found = end - p == top - q;
  for (; found && p < end; p += 4, q += 4) found = order(load<u32>(p), load<u32>(q)) == 0;
  setTop(mark);
  return found;
}

function sameObject(level: i32, from: i32, to: i32): bool {
  if (level >= MAX_DEPTH) return stop();
  a = skipSpace(a + 1);
  b = skipSpace(b + 1);
  if (load<u8>(a) == CLOSE_BRACE || load<u8>(b) == CLOSE_BRACE) return closing();
  while (true) {
    const name = a;
    if (orderText(a, b) != 0) return sameMembers(level, from, to);
    a = skipColon(afterFirst);
    b = skipColon(afterSecond);
    if (!same(level + 1, to, from < to ? enterMember(name, level, from, to) : to)) return false;
    a = skipSpace(a);
    b = skipSpace(b);
    if (load<u8>(a) != COMMA || load<u8>(b) != COMMA) return closing();
    a = skipSpace(a + 1);
    b = skipSpace(b + 1);
  }
}

/** sameMembers compares what is left of two objects where the names are no longer in the same order. No name comes twice. */
function sameMembers(level: i32, from: i32, to: i32): bool {
  const mark = top;
  const after = listMembers();
  const list = mark;
  const count = (top - mark) >> 2;
  sort(list, count, orderText);
  let seen: usize = 0;
  for (; ; seen++) {
    const name = a;
    const place = find(list, count, name, orderText);
    if (place == 0) return false;
    a = skipColon(afterFirst);
    b = skipColon(afterSecond);
    if (!same(level + 1, to, from < to ? enterMember(name, level, from, to) : to)) return false;
    a = skipSpace(a);
    if (load<u8>(a) != COMMA) break;
    a = skipSpace(a + 1);
  }
  a++;
  b = after;
  setTop(mark);
  return seen + 1 == count;
}

/** listMembers writes where the members of the second object that are left have their names, and gives the place behind it. */
function listMembers(): usize {
  let at = b;
  while (true) {
    ensure(4);
    store<u32>(top, <u32>at);
    setTop(top + 4);
    at = skipSpace(skipValue(skipColon(skipString(at))));
    if (load<u8>(at) != COMMA) return at + 1;
    at = skipSpace(at + 1);
  }
}

function stop(): bool {
  tooDeep = true;
  return false;
}
