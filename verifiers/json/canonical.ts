import { Decimal } from "../assembly/number";
import {
  CLOSE_BRACE, CLOSE_BRACKET, COMMA, MAX_DEPTH, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipColon, skipSpace, skipString, skipValue,
} from "../assembly/scan";
import { afterFirst, decodeText, orderText } from "../assembly/text";
import { IGNORED, SET, effects, enterElement, enterMember } from "./rules";
import { ensure, setTop, sort, top } from "./scratch";

// One spelling for each value, so that elements of sets can be put in order and compared. It ends where the value does, and two
// values have the same one if nothing but what is ignored tells them apart.

/** overDeep says that something nests too deep to be looked at. */
export let overDeep: bool = false;

const number = new Decimal();

function put(c: u8): void {
  store<u8>(top, c);
  setTop(top + 1);
}

/** write puts the one spelling of the value at the top, and gives the place behind the value. */
function write(at: usize, level: i32, from: i32, to: i32): usize {
  const effect = from < to ? effects(level, from, to) : 0;
  const c = load<u8>(at);
  if (effect & IGNORED) {
    ensure(1);
    put(0x3f);
    return skipValue(at);
  }
  if (c == QUOTE) return writeText(at);
  if (c == OPEN_BRACE) return writeObject(at, level, from, to);
  if (c == OPEN_BRACKET) return effect & SET ? writeSet(at, level, from, to) : writeArray(at, level, from, to);
  if (c < 0x40) return writeNumber(at);
  ensure(1);
  put(c); // true, false, null
  return skipValue(at);
}

function writeText(at: usize): usize {
  ensure(skipString(at) - at);
  put(QUOTE);
  setTop(decodeText(at, top));
  put(0xff); // in no text
  return afterFirst;
}

/** writeNumber puts digits and exponent, or the whole of a number that equals only itself. */
function writeNumber(at: usize): usize {
  number.read(at);
  ensure(number.end - at + 16);
  if (number.count == 0) {
    put(0x30);
  } else if (number.wild) {
    put(0x77);
    memory.copy(top, at, number.end - at);
    setTop(top + (number.end - at));
    put(0xff);
  } else {
    put(number.negative ? 0x2d : 0x2b);
    setTop(number.spell(top));
    put(0x65);
    let n = <u64>((number.exponent << 1) ^ (number.exponent >> 63));
    for (; n >= 0x80; n >>= 7) put(<u8>n | 0x80);
    put(<u8>n);
  }
  return number.end;
}

function writeArray(at: usize, level: i32, from: i32, to: i32): usize {
  if (level >= MAX_DEPTH) return stop(at);
  ensure(1);
  put(OPEN_BRACKET);
  at = skipSpace(at + 1);
  for (let i = 0; load<u8>(at) != CLOSE_BRACKET; i++) {
    const end = from < to ? enterElement(i, false, level, from, to) : to;
    at = skipSpace(write(at, level + 1, to, end));
    if (load<u8>(at) == COMMA) at = skipSpace(at + 1);
  }
  ensure(1);
  put(CLOSE_BRACKET);
  return at + 1;
}

/** writeObject puts the members by the order of their names. */
function writeObject(at: usize, level: i32, from: i32, to: i32): usize {
  if (level >= MAX_DEPTH) return stop(at);
  const list = top;
  at = skipSpace(at + 1);
  while (load<u8>(at) != CLOSE_BRACE) {
    ensure(4);
    store<u32>(top, <u32>at);
    setTop(top + 4);
    at = skipSpace(skipValue(skipColon(skipString(at))));
    if (load<u8>(at) == COMMA) at = skipSpace(at + 1);
  }
  const start = top;
  sort(list, (start - list) >> 2, orderText);
  ensure(1);
  put(OPEN_BRACE);
  for (let i = list; i < start; i += 4) {
    const name: usize = load<u32>(i);
    const value = skipColon(writeText(name));
    write(value, level + 1, to, from < to ? enterMember(name, level, from, to) : to);
  }
  ensure(1);
  put(CLOSE_BRACE);
  lower(start, list);
  return at + 1;
}

/** writeSet puts the elements by the order of their spelling. */
function writeSet(at: usize, level: i32, from: i32, to: i32): usize {
  if (level >= MAX_DEPTH) return stop(at);
  const start = top;
  const after = gather(skipSpace(at + 1), level, from, to);
  const list = gathered;
  const end = top;
  ensure(1);
  put(0x28);
  for (let i = list; i < end; i += 4) {
    const element: usize = load<u32>(i);
    const length: usize = load<u32>(element);
    ensure(length);
    memory.copy(top, element + 4, length);
    setTop(top + length);
  }
  ensure(1);
  put(0x29);
  lower(end, start);
  return after;
}

/** lower moves what was written from a place on to a lower one. */
function lower(from: usize, to: usize): void {
  const length = top - from;
  memory.copy(to, from, length);
  setTop(to + length);
}

function stop(at: usize): usize {
  overDeep = true;
  return skipValue(at);
}

/** gathered is the list that gather left, up to the top: where each element's spelling begins, with its length in front. */
export let gathered: usize = 0;

/** gather writes the elements of a set, from this one on, and a list of them in order. It gives the place behind the set. */
export function gather(at: usize, level: i32, from: i32, to: i32): usize {
  const inner = from < to ? enterElement(0, true, level, from, to) : to;
  ensure(8);
  setTop((top + 7) & ~7);
  const first = top;
  let count: usize = 0;
  for (; load<u8>(at) != CLOSE_BRACKET; count++) {
    ensure(8);
    const start = top;
    setTop(start + 4);
    at = skipSpace(write(at, level + 1, to, inner));
    store<u32>(start, <u32>(top - start - 4));
    ensure(8);
    store<u64>(top, 0);
    setTop((top + 7) & ~7);
    if (load<u8>(at) == COMMA) at = skipSpace(at + 1);
  }
  const list = top;
  ensure(count << 2);
  let element = first;
  for (; count > 0; count--) {
    store<u32>(top, <u32>element);
    setTop(top + 4);
    element = (element + 4 + load<u32>(element) + 7) & ~7;
  }
  sort(list, (top - list) >> 2, order);
  gathered = list;
  return at + 1;
}

/** order compares two elements that gather wrote. */
export function order(a: usize, b: usize): i32 {
  const end = a + 4 + load<u32>(a);
  for (; a < end; a += 8, b += 8) {
    const x = load<u64>(a);
    const y = load<u64>(b);
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}
