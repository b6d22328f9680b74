// spot: like compare, but one answer will do; now and then the caller asks a second server, and nobody knows when.
export { alloc, verifier_abi_1 } from "./assembly/abi";
export { judge as verify } from "./bytewise/same";

/** One server is enough. */
export function minRequests(): i32 {
  return 1;
}
