// Room that grows while two answers are compared: nothing else is allocated meanwhile, so it stays where it is.

let base: usize = 0;
let end: usize = 0;

/** top is the place behind what is in use. */
export let top: usize = 0;

/** begin empties the room. */
export function begin(): void {
  if (base == 0) {
    base = heap.alloc(65536);
    end = base + 65536;
  }
  top = base;
}

/** setTop says what is in use. */
export function setTop(to: usize): void {
  top = to;
}

/** ensure makes room for so many bytes at the top. */
export function ensure(n: usize): void {
  if (n <= end - top) return;
  const more = max<usize>(n, 262144);
  if (heap.realloc(base, end - base + more) != base) unreachable();
  end += more;
}

/** sort orders a list of places, 4 bytes each, and keeps those in order that are equal. */
export function sort(list: usize, length: usize, order: (a: usize, b: usize) => i32): void {
  const bytes = length << 2;
  ensure(bytes);
  let from = list;
  let to = top;
  for (let width: usize = 4; width < bytes; width <<= 1) {
    for (let i: usize = 0; i < bytes; i += width << 1) {
      merge(from, to, i, min(i + width, bytes), min(i + (width << 1), bytes), order);
    }
    const other = from;
    from = to;
    to = other;
  }
  if (from != list) memory.copy(list, from, bytes);
}

function merge(from: usize, to: usize, i: usize, middle: usize, end: usize, order: (a: usize, b: usize) => i32): void {
  if (middle >= end || order(load<u32>(from + middle - 4), load<u32>(from + middle)) <= 0) {
    memory.copy(to + i, from + i, end - i);
    return;
  }
  let j = middle;
  for (let k = i; k < end; k += 4) {
    if (i < middle && (j >= end || order(load<u32>(from + i), load<u32>(from + j)) <= 0)) {
      store<u32>(to + k, load<u32>(from + i));
      i += 4;
    } else {
      store<u32>(to + k, load<u32>(from + j));
      j += 4;
    }
  }
}

/** find searches names in order for one that is equal, and gives its place in the list; 0 where there is none. */
export function find(list: usize, length: usize, name: usize, order: (a: usize, b: usize) => i32): usize {
  let low: usize = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = list + (middle << 2);
    const o = order(name, load<u32>(at));
    if (o == 0) return at;
    if (o < 0) high = middle;
    else low = middle + 1;
  }
  return 0;
}
