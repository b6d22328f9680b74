import { RPCRequest, RPCResponse } from "../../../verifiers/assembly/input";
import { HASH } from "../../../verifiers/assembly/merkle";
import { incomparable } from "../../../verifiers/assembly/rpc";
import { config } from "../../../verifiers/assembly/run";
import { Kind } from "../../../verifiers/assembly/value";
import { Verdict } from "../../../verifiers/assembly/verdict";
import { Ask } from "./ask";
import { Grade, Judge } from "./judge";
import { Room } from "./room";
import { Strict } from "./strict";

/**
 * verify accepts an answer that proves itself against the root that the configuration names, {"root":"…"}, and an answer to
 * search_info, from which the root can be made anew. Beside one that is proven all others are wrong, errors too, unless they
 * prove themselves as well. What no answer proves is left to a second one: the same bytes are accepted, others are a
 * disagreement. An answer that can be seen to be wrong is a culprit in any case.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  const problem = incomparable(requests, responses);
  if (problem.length > 0) return Verdict.undecided(problem);
  const root = wanted();
  if (!root) return Verdict.undecided("config: want root, 40 digits in lower-case hex, and nothing else");
  const judge = new Judge(root, new Ask(requests[0]), new Room(longest(responses) + 4096));
  const proven: i32[] = [];
  const open: i32[] = [];
  const wrong: i32[] = [];
  for (let i = 0; i < responses.length; i++) {
    const grade = judge.grade(responses[i]);
    (grade == Grade.Right ? proven : grade == Grade.Wrong ? wrong : open).push(i);
  }
  if (proven.length > 0) return Verdict.acceptedAgainst(proven[0], open.concat(wrong).sort((a, b) => a - b));
  return unproven(responses, open, wrong, judge.why);
}

/** unproven is the verdict where no answer proves itself. */
function unproven(responses: RPCResponse[], open: i32[], wrong: i32[], why: string): Verdict {
  for (let i = 1; i < open.length; i++) {
    if (!responses[open[0]].body.equals(responses[open[i]].body)) return Verdict.disagreement(wrong, "the answers differ");
  }
  if (open.length > 1) return Verdict.acceptedAgainst(open[0], wrong);
  return wrong.length > 0 ? Verdict.disagreement(wrong, why) : Verdict.needing(2, "the answer does not prove itself");
}

/** longest is the length of the longest answer. */
function longest(responses: RPCResponse[]): i32 {
  let most = 0;
  for (let i = 0; i < responses.length; i++) most = max(most, responses[i].body.length);
  return most;
}

/** wanted is the place of the root that the configuration names; 0 where it names none. */
function wanted(): usize {
  const c = config();
  if (!c || c.kind != Kind.Object) return 0;
  const e = c.entries();
  if (!e.next() || e.text() != "root") return 0;
  const root = heap.alloc(HASH);
  const r = new Strict(e.value.at, new Room(c.bytes().length));
  r.hash(root);
  return e.next() || r.bad ? 0 : root;
}
