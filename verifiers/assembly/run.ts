import { Input, RPCRequest, RPCResponse } from "./input";
import { Value } from "./value";
import { Verdict } from "./verdict";

let given: Value | null = null;

/** config is the verifier's configuration from the service's manifest; null where it has none. */
export function config(): Value | null {
  return given;
}

/** run reads the input and puts it before a verifier, whose verdict it lays down for the host. */
export function run(at: usize, length: i32, verify: (requests: RPCRequest[], responses: RPCResponse[]) => Verdict): u64 {
  const input = Input.read(at, length);
  if (!input) return Verdict.undecided("the input is not of ABI 1").write();
  if (input.config.length > 0) {
    const value = Value.of(input.config);
    if (load<u8>(value.at) != 0x6e) given = value; // null
  }
  return verify(input.requests, input.responses).write();
}
