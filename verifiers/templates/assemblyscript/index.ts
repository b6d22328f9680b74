// What the host calls. The verifier itself stands in verifier.ts; there is nothing to change here.
import { run } from "./assembly/run";
import { verify as judge } from "./verifier";

export { alloc, verifier_abi_1 } from "./assembly/abi";
export { minRequests } from "./verifier";

export function verify(at: usize, length: i32): u64 {
  return run(at, length, judge);
}
