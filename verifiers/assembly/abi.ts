/** verifier_abi_1 marks the version of the interface. Nobody calls it (protocol 5.1). */
export function verifier_abi_1(): void {}

/** alloc gives the host room for the input. */
export function alloc(length: i32): usize {
  return heap.alloc(<usize>length);
}

/** abort ends a verdict that cannot be reached; the host takes that for undecided (protocol 5.5). */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  unreachable();
}
