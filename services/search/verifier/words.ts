import { Fold } from "./fold";
import { Span } from "./room";
import { stem } from "./stem";
import { MOST, Word } from "./word";

/** Words goes through the words of a text: runs of letters and digits, folded. */
export class Words {
  /** The word at hand; stemming changes it in its place. */
  readonly word: Word = new Word();
  private readonly fold: Fold = new Fold();
  private at: usize;
  private readonly end: usize;

  constructor(text: Span) {
    this.at = text.at;
    this.end = text.at + <usize>text.length;
  }

  /** next goes to the next word, and is false where there is none. What is longer than a word can be is passed over. */
  next(): bool {
    const w = this.word;
    w.length = 0;
    while (this.at < this.end) {
      this.fold.read(this.at);
      this.at = this.fold.after;
      if (!this.fold.ends) {
        this.add();
        if (this.at < this.end) continue;
      }
      if (0 < w.length && w.length <= MOST) return true;
      w.length = 0;
    }
    return false;
  }

  /** nextTerm goes to the next word that is no stop word, and stems it. */
  nextTerm(): bool {
    while (this.next()) {
      if (isStopWord(this.word)) continue;
      if (isPlain(this.word)) stem(this.word);
      if (this.word.length > 0) return true;
    }
    return false;
  }

  /** take is the place of a copy of the word, which stays when the next one comes. */
  take(): usize {
    const to = heap.alloc(this.word.length);
    memory.copy(to, this.word.at, this.word.length);
    return to;
  }

  private add(): void {
    const w = this.word;
    const length = this.fold.length;
    if (w.length + length > MOST) {
      w.length = MOST + 1;
    } else {
      memory.copy(w.at + w.length, this.fold.at, length);
      w.length += length;
    }
  }
}

// @ts-ignore: decorator
@lazy
const STOP_WORDS: StaticArray<string> = [
  "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "have", "he", "her", "his", "if",
  "in", "into", "is", "it", "its", "no", "not", "of", "on", "or", "s", "she", "such", "t", "that", "the", "their", "then",
  "there", "these", "they", "this", "to", "was", "were", "will", "with",
];

function isStopWord(w: Word): bool {
  for (let i = 0; i < STOP_WORDS.length; i++) {
    if (w.is(STOP_WORDS[i])) return true;
  }
  return false;
}

/** isPlain says whether there are but small letters. What has others stands as it is. */
function isPlain(w: Word): bool {
  for (let i = 0; i < w.length; i++) {
    if (w.letter(i) - 0x61 >= 26) return false;
  }
  return true;
}
