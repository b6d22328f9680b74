// How characters become letters of words: as package index does it, to the last character.

/** Fold is what one character becomes. */
export class Fold {
  /** The place behind the character. */
  after: usize = 0;
  /** It ends the word. */
  ends: bool = false;
  /** Its letters, of which there may be none. */
  at: usize = 0;
  length: i32 = 0;

  private readonly room: usize = heap.alloc(2);

  /** read folds the character that stands there, in UTF-8. */
  read(at: usize): void {
    const c: u32 = load<u8>(at);
    this.ends = false;
    if (c < 0x80) {
      this.after = at + 1;
      return this.ascii(c);
    }
    const more: u32 = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    let point = c & (0x3f >> more);
    for (let i: u32 = 1; i <= more; i++) point = (point << 6) | (load<u8>(at + i) & 0x3f);
    this.after = at + 1 + more;
    if (point >= 0xc0 && point <= 0x17f) return this.latin(point);
    if (point >= 0x300 && point <= 0x36f) return this.letters(0, 0, 0); // combining accents
    this.at = at;
    this.length = <i32>(this.after - at);
    this.ends = point < 0xc0 ? point != 0xaa && point != 0xb5 && point != 0xba : isSymbol(point);
  }

  private ascii(c: u32): void {
    const small = c | 0x20;
    if (small - 0x61 < 26) this.letters(1, small, 0);
    else if (c - 0x30 < 10) this.letters(1, c, 0);
    else this.ends = true;
  }

  private latin(point: u32): void {
    const c = <u32>LATIN.charCodeAt(point - 0xc0);
    if (c == 0x20) this.ends = true;
    else if (c != 0x2a) this.letters(1, c, 0);
    else if (point == 0xc6 || point == 0xe6) this.letters(2, 0x61, 0x65); // Æ
    else if (point == 0x152 || point == 0x153) this.letters(2, 0x6f, 0x65); // Œ
    else if (point == 0xde || point == 0xfe) this.letters(2, 0x74, 0x68); // Þ
    else if (point == 0x132 || point == 0x133) this.letters(2, 0x69, 0x6a); // Ĳ
    else this.letters(2, 0x73, 0x73); // ß
  }

  private letters(count: i32, first: u32, second: u32): void {
    store<u8>(this.room, first);
    store<u8>(this.room + 1, second);
    this.at = this.room;
    this.length = count;
  }
}

// U+00C0 to U+017F: a letter, a star for two, a space for none.
// @ts-ignore: decorator
@lazy
const LATIN: string =
  "aaaaaa*ceeeeiiiidnooooo ouuuuy**aaaaaa*ceeeeiiiidnooooo ouuuuy*y" +
  "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii**jjkkklllllll" +
  "lllnnnnnnnnnoooooo**rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

// The blocks of punctuation, spaces, currency, arrows, mathematics, drawing, private use and pictures: first and last.
// @ts-ignore: decorator
@lazy
const SYMBOLS: StaticArray<u32> = [
  0x2000, 0x2bff, 0x2e00, 0x2e7f, 0x3000, 0x303f, 0xe000, 0xf8ff, 0xfe10, 0xfe6f, 0xff00, 0xff0f, 0xff1a, 0xff20, 0xff3b, 0xff40,
  0xff5b, 0xff65, 0xfff0, 0xffff, 0x1f000, 0x1faff,
];

function isSymbol(point: u32): bool {
  for (let i = 0; i < SYMBOLS.length; i += 2) {
    if (SYMBOLS[i] <= point && point <= SYMBOLS[i + 1]) return true;
  }
  return false;
}
