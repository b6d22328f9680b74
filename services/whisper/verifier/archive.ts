import { Bytes } from "../../../verifiers/assembly/bytes";
import { HASH as ROOT, Hashes, LeafHash, rootOf } from "../../../verifiers/assembly/merkle";
import { Reader } from "../../../verifiers/assembly/reader";
import { KEY, orderKeys } from "./key";
import { Wanted } from "./wanted";

const MOST = 4194304; // envelopes of an archive

/** Archive is what an answer shows of one: the keys of some of its envelopes, each with its place. */
export class Archive {
  /** The root that the proof leads to. */
  readonly root: usize = heap.alloc(ROOT);
  private count: i32 = 0; // of all envelopes
  private readonly places: i32[] = [];
  private readonly shown: usize[] = []; // keys
  private used: i32 = 0; // of the answer's envelopes
  private nextShown: bool = false;

  /** The keys are those of the answer's envelopes; next is the key that it names behind them, 0 where it names none. */
  constructor(
    private readonly keys: usize,
    private readonly envelopes: i32,
    private readonly next: usize,
  ) {}

  /** read reads the proof, which shows at most so many keys beside the envelopes' own, and is false where it is none: keys out of
   * order, envelopes that it does not show, bytes too few or too many. */
  read(proof: Bytes, most: i32): bool {
    const r = new Reader(proof);
    const count = r.uvarint();
    const shown = r.uvarint();
    if (r.bad || count > MOST || shown > this.envelopes + most || shown > count) return false;
    this.count = <i32>count;
    for (let i = 0; i < <i32>shown; i++) {
      if (!this.readKey(r)) return false;
    }
    if (this.used != this.envelopes || this.nextShown != (this.next != 0)) return false;
    return this.climb(r) && r.at == r.end;
  }

  private readKey(r: Reader): bool {
    const last = this.places.length - 1;
    const place = r.uvarint() + (last < 0 ? 0 : this.places[last] + 1);
    const kind = r.byte();
    const key = kind == 0 ? r.take(KEY) : kind == 1 ? this.envelope() : 0;
    if (r.bad || key == 0 || place >= this.count) return false;
    if (last >= 0 && orderKeys(this.shown[last], key) >= 0) return false;
    if (this.next != 0 && orderKeys(this.next, key) == 0) this.nextShown = true;
    this.places.push(<i32>place);
    this.shown.push(key);
    return true;
  }

  /** envelope is the key of the answer's next envelope, 0 where all have been. */
  private envelope(): usize {
    if (this.used == this.envelopes) return 0;
    return this.keys + KEY * <usize>(this.used++);
  }

  /** climb goes up to the root. */
  private climb(r: Reader): bool {
    const leaf = new LeafHash();
    const leaves = new Hashes(this.shown.length);
    for (let i = 0; i < this.shown.length; i++) leaf.begin().write(this.shown[i], KEY).end(leaves.place(i));
    if (!rootOf(this.count, this.places, leaves, r, this.root)) return false;
    store<u32>(number, bswap(this.count));
    leaf.begin().write(changetype<usize>(NAME), <usize>NAME.length).write(number, 4).write(this.root, ROOT).end(this.root);
    return true;
  }

  /** isComplete says that no envelope is asked for but the answer's, those from next on, and none that is not shown. */
  isComplete(wanted: Wanted): bool {
    let envelope = 0;
    for (let i = 0; i <= this.shown.length; i++) {
      const left = i > 0 ? this.shown[i - 1] : 0;
      const right = i < this.shown.length ? this.shown[i] : 0;
      const skipped = (right == 0 ? this.count : this.places[i]) - (left == 0 ? -1 : this.places[i - 1]) - 1;
      if (skipped > 0 && wanted.hides(left, right, this.next)) return false;
      if (right == 0) break;
      if (envelope < this.envelopes && right == this.keys + KEY * <usize>envelope) envelope++;
      else if (wanted.asks(right) && (this.next == 0 || orderKeys(right, this.next) < 0)) return false;
    }
    return true;
  }
}

const number = memory.data(4);

// "barnraise mail 1"
// @ts-ignore: decorator
@lazy
const NAME: StaticArray<u8> = [0x62, 0x61, 0x72, 0x6e, 0x72, 0x61, 0x69, 0x73, 0x65, 0x20, 0x6d, 0x61, 0x69, 0x6c, 0x20, 0x31];
