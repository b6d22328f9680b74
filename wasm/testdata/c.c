// A reactor in C, as small as they come. Built with clang 19:
// clang --target=wasm32 -O2 -mbulk-memory -nostdlib -Wl,--no-entry -Wl,--strip-all -o c.wasm c.c
typedef unsigned char byte;
typedef unsigned int u32;
typedef unsigned long long u64;

extern byte __heap_base;
static u32 top;

__attribute__((export_name("alloc"))) u32 take(u32 n) {
	if (!top) top = (u32)&__heap_base;
	u32 at = (top + 15) & ~15u, end = at + n, have = __builtin_wasm_memory_size(0) << 16;
	if (end < at || (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == -1)) return 0;
	top = end;
	return at;
}

// handle answers with the input backwards, and how deep its brackets nest.
__attribute__((export_name("handle"))) u64 handle(const byte *in, u32 n) {
	byte *out = (byte *)take(n + 1);
	u32 depth = 0, deepest = 0;
	for (u32 i = 0; i < n; i++) {
		switch (in[i]) {
		case '{': case '[': case '(':
			if (++depth > deepest) deepest = depth;
			break;
		case '}': case ']': case ')':
			depth--;
		}
	}
	__builtin_memcpy(out, in, n);
	for (u32 i = 0; i < n / 2; i++) {
		byte c = out[i];
		out[i] = out[n - 1 - i];
		out[n - 1 - i] = c;
	}
	out[n] = '0' + deepest % 10;
	return (u64)(u32)out << 32 | (n + 1);
}
