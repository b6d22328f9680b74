import { RPCRequest, RPCResponse } from "../assembly/input";
import { error, incomparable, result } from "../assembly/rpc";
import { config } from "../assembly/run";
import { Sha256 } from "../assembly/sha256";
import { Kind, Value } from "../assembly/value";
import { Verdict } from "../assembly/verdict";
import { nonceLength, readNonce } from "./nonce";

/**
 * verify accepts a response whose result has a nonce such that SHA-256 over the exact request and the nonce's bytes begins
 * with as many zero bits as the configuration wants, {"bits":N}. Each answer is right or wrong by itself, whatever the others
 * say: the winner is the first that is right, and those that are wrong are culprits, even the only one (protocol 5.4).
 *
 * An error claims no nonce, so it is neither right nor wrong. It never wins, for then whoever does not care to work would
 * answer with one; it is never a culprit, for a request can deserve one, and who says so is honest. Where there is nothing
 * but errors a proof is missing: undecided (protocol 5.3), and more of them make no proof.
 */
export function verify(requests: RPCRequest[], responses: RPCResponse[]): Verdict {
  const problem = incomparable(requests, responses);
  if (problem.length > 0) return Verdict.undecided(problem);
  const bits = wanted();
  if (bits < 0) return Verdict.undecided("config: want bits, a whole number from 0 to 256, and nothing else");
  const request = requests[0].body;
  const hash = new Sha256();
  hash.write(request.at, request.at + <usize>request.length);
  let winner = -1;
  const culprits: i32[] = [];
  for (let i = 0; i < responses.length; i++) {
    if (error(responses[i])) continue;
    if (!proves(hash, result(responses[i]), bits)) culprits.push(i);
    else if (winner < 0) winner = i;
  }
  if (winner >= 0) return Verdict.acceptedAgainst(winner, culprits);
  if (culprits.length == 0) return Verdict.undecided("an error proves nothing");
  return Verdict.disagreement(culprits, "no answer has a nonce that meets the target");
}

/** wanted is how many bits are to be zero, and below 0 where the configuration does not say. */
function wanted(): i32 {
  const c = config();
  if (!c) return -1;
  const e = c.entries();
  if (!e.next() || e.text() != "bits") return -1;
  const bits = e.value.integer(-1);
  return e.next() || bits < 0 || bits > 256 ? -1 : <i32>bits;
}

function proves(request: Sha256, answer: Value | null, bits: i32): bool {
  if (!answer) return false;
  const member = answer.member("nonce");
  if (!member || member.kind != Kind.String) return false;
  const nonce = readNonce(member.at);
  if (nonce == 0) return false;
  const hash = request.clone();
  hash.write(nonce, nonce + nonceLength);
  return zeros(hash.sum()) >= bits;
}

/** zeros counts the zero bits that 32 bytes begin with. */
function zeros(at: usize): i32 {
  for (let i = 0; i < 32; i += 8) {
    const x = bswap(load<u64>(at + i));
    if (x != 0) return 8 * i + <i32>clz(x);
  }
  return 256;
}
