/** Word is what is being stemmed: small letters, and a capital Y where it is no vowel. */
export class Word {
  readonly at: usize = heap.alloc(MOST + 8);
  length: i32 = 0;
  /** Where the regions begin that suffixes have to stand in. */
  r1: i32 = 0;
  r2: i32 = 0;

  /** letter is one of its characters. */
  letter(index: i32): u32 {
    return load<u8>(this.at + index);
  }

  /** isVowel says whether there is a vowel. */
  isVowel(index: i32): bool {
    const c = this.letter(index);
    return c == 0x61 || c == 0x65 || c == 0x69 || c == 0x6f || c == 0x75 || c == 0x79; // aeiouy
  }

  /** hasVowel says whether there is a vowel among the first so many. */
  hasVowel(count: i32): bool {
    for (let i = 0; i < count; i++) {
      if (this.isVowel(i)) return true;
    }
    return false;
  }

  /** is says whether it is that text. */
  is(text: string): bool {
    return this.length == text.length && this.endsWith(text);
  }

  /** startsWith says whether it begins so. */
  startsWith(text: string): bool {
    return this.length >= text.length && this.has(text, 0);
  }

  /** endsWith says whether it ends so. */
  endsWith(text: string): bool {
    return this.length >= text.length && this.has(text, this.length - text.length);
  }

  private has(text: string, from: i32): bool {
    for (let i = 0; i < text.length; i++) {
      if (this.letter(from + i) != text.charCodeAt(i)) return false;
    }
    return true;
  }

  /** replace puts other letters for the last ones. A region that would begin behind the end begins there. */
  replace(count: i32, by: string): void {
    this.length -= count;
    for (let i = 0; i < by.length; i++) store<u8>(this.at + this.length++, <u8>by.charCodeAt(i));
    this.r1 = min(this.r1, this.length);
    this.r2 = min(this.r2, this.length);
  }

  /** endsShort says whether its first so many letters end in a short syllable. */
  endsShort(count: i32): bool {
    if (count == 2) return this.isVowel(0) && !this.isVowel(1);
    if (count < 3) return false;
    const c = this.letter(count - 1);
    if (this.isVowel(count - 1) || c == 0x77 || c == 0x78 || c == 0x59) return false; // wxY
    return this.isVowel(count - 2) && !this.isVowel(count - 3);
  }
}

/** MOST is the longest word that is indexed, in bytes. */
export const MOST: i32 = 64;
