import { Writer } from "./writer";

/** Verdict is what a verifier says of some answers (protocol 5.3). */
export class Verdict {
  private constructor(
    private readonly status: string,
    private readonly winner: i32,
    private readonly culprits: i32[],
    private readonly reason: string,
  ) {}

  /** The answer of that index is right. */
  static accepted(winner: i32): Verdict {
    return new Verdict("accepted", winner, [], "");
  }

  /** The answer of that index is right, and those of the culprits, ascending, are known to be wrong. */
  static acceptedAgainst(winner: i32, culprits: i32[]): Verdict {
    return new Verdict("accepted", winner, culprits, "");
  }

  /** They cannot all be right. Culprits, ascending, are those known to be wrong; often that cannot be said. The reason is for
   * people: short, in ASCII. */
  static disagreement(culprits: i32[], reason: string): Verdict {
    return new Verdict("disagreement", -1, culprits, reason);
  }

  /** Cannot tell. */
  static undecided(reason: string): Verdict {
    return new Verdict("undecided", -1, [], reason);
  }

  /** Cannot tell, but could with so many answers in all, 1 to 64. Of the reason no more than a hundred characters are said. */
  static needing(answers: i32, reason: string): Verdict {
    // All of it stands where the status does: a module that never says it is the same bytes as if it could not be said.
    const more = 'undecided","need":' + answers.toString() + ',"reason":"';
    return new Verdict(more + plain(reason.substring(0, 100)), -1, [], "");
  }

  /** write lays the verdict down for the host: its place in the upper half of the number, its length in the lower. */
  write(): u64 {
    const w = new Writer(256 + 4 * this.culprits.length + this.reason.length);
    w.ascii('{"status":"');
    w.ascii(this.status);
    w.ascii('","winner":');
    w.integer(this.winner);
    w.ascii(',"culprits":[');
    for (let i = 0; i < this.culprits.length; i++) {
      if (i > 0) w.ascii(",");
      w.integer(this.culprits[i]);
    }
    w.ascii("]");
    if (this.reason.length > 0) {
      w.ascii(',"reason":"');
      w.text(this.reason);
      w.ascii('"');
    }
    w.ascii("}");
    return w.place();
  }
}

/** plain is a text in which no character ends or escapes a string. */
function plain(s: string): string {
  return s.replaceAll('"', "?").replaceAll("\\", "?");
}
