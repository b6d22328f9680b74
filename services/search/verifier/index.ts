// What the host calls: the verifier of the service search. Its answers prove themselves where they are asked to.
import { run } from "../../../verifiers/assembly/run";
import { verify as judge } from "./verify";

export { alloc, verifier_abi_1 } from "../../../verifiers/assembly/abi";

/** One server is enough: an answer with a proof proves itself. */
export function minRequests(): i32 {
  return 1;
}

export function verify(at: usize, length: i32): u64 {
  return run(at, length, judge);
}
