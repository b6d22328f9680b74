/* What a verifier for Barnraise is written against, ABI 1. There is nothing to change here. A verifier is one C file that
 * includes this one and defines min_requests and verify. */
#ifndef BARNRAISE_H
#define BARNRAISE_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

/* A view of some bytes of the input. */
typedef struct {
	const u8 *at;
	u32 length;
} bytes;

#define MAX_ANSWERS 64

/* What the host hands over. Each body is as it was written, and is strict JSON; responses[i] answers requests[i]. */
typedef struct {
	bytes config; /* the configuration from the service's manifest, JSON; null where it has none */
	u32 requests_count, responses_count;
	bytes requests[MAX_ANSWERS], responses[MAX_ANSWERS];
} input;

/* What a verifier says: one of accepted, accepted_against, disagreement, undecided. */
typedef u64 verdict;

/* How many servers a caller asks at least, 1 to 64. The caller sees to it; verify need not count. */
static int min_requests(void);

/* Says whether the responses, of different servers to one request, can all be right. */
static verdict verify(const input *in);

/* Whether both are the same bytes. */
static inline int equal(bytes a, bytes b) {
	if (a.length != b.length) return 0;
	for (u32 i = 0; i < a.length; i++) {
		if (a.at[i] != b.at[i]) return 0;
	}
	return 1;
}

/* Why these are not answers to one request, in words for a verdict; 0 where they are. */
static inline const char *incomparable(const input *in) {
	if (in->responses_count == 0 || in->requests_count != in->responses_count) {
		return "want one response to each request, and at least one";
	}
	for (u32 i = 1; i < in->requests_count; i++) {
		if (!equal(in->requests[0], in->requests[i])) return "the requests differ";
	}
	return 0;
}

/* Memory is taken and never given back: an instance lives for one verdict. */
extern u8 __heap_base;
static u32 barnraise_top;

__attribute__((export_name("alloc"))) u8 *barnraise_alloc(u32 n) {
	if (!barnraise_top) barnraise_top = (u32)&__heap_base;
	u32 at = (barnraise_top + 15) & ~15u, end = at + n;
	u64 have = (u64)__builtin_wasm_memory_size(0) << 16;
	if (end < at) return 0;
	if (end > have && __builtin_wasm_memory_grow(0, (end - have + 65535) >> 16) == ~0ul) return 0;
	barnraise_top = end;
	return (u8 *)at;
}

/* A verdict being written: at most 64 culprits and 256 bytes of reason. */
static u8 barnraise_room[1024];
static u32 barnraise_length;

static inline void barnraise_put(const char *text) {
	while (*text && barnraise_length < sizeof barnraise_room) barnraise_room[barnraise_length++] = (u8)*text++;
}

static inline void barnraise_put_number(int n) {
	char digits[3] = {0};
	if (n < 0) {
		barnraise_put("-");
		n = -n;
	}
	digits[0] = (char)('0' + n / 10 % 10);
	digits[1] = (char)('0' + n % 10);
	barnraise_put(n > 9 ? digits : digits + 1);
}

static inline verdict barnraise_verdict(const char *status, int winner, const int *culprits, int count, const char *reason) {
	barnraise_length = 0;
	barnraise_put("{\"status\":\"");
	barnraise_put(status);
	barnraise_put("\",\"winner\":");
	barnraise_put_number(winner);
	barnraise_put(",\"culprits\":[");
	for (int i = 0; i < count && i < MAX_ANSWERS; i++) {
		if (i) barnraise_put(",");
		barnraise_put_number(culprits[i]);
	}
	barnraise_put("],\"reason\":\"");
	for (int i = 0; reason[i] && i < 256; i++) {
		char c[2] = {reason[i], 0};
		if (c[0] < ' ' || c[0] > '~' || c[0] == '"' || c[0] == '\\') c[0] = '?';
		barnraise_put(c);
	}
	barnraise_put("\"}");
	return (u64)(u32)barnraise_room << 32 | barnraise_length;
}

/* The answer of that index is right. */
static inline verdict accepted(int winner) { return barnraise_verdict("accepted", winner, 0, 0, ""); }

/* The answer of that index is right, and those of the culprits, ascending, are known to be wrong. */
static inline verdict accepted_against(int winner, const int *culprits, int count) {
	return barnraise_verdict("accepted", winner, culprits, count, "");
}

/* They cannot all be right. Culprits, ascending, are those known to be wrong; often that cannot be said. The reason is for
 * people: short, in ASCII. */
static inline verdict disagreement(const int *culprits, int count, const char *reason) {
	return barnraise_verdict("disagreement", -1, culprits, count, reason);
}

/* Cannot tell. */
static inline verdict undecided(const char *reason) { return barnraise_verdict("undecided", -1, 0, 0, reason); }

/* Goes through JSON text. Values are views with the white space around them, as the bodies were written. */
typedef struct {
	const u8 *at, *end;
} barnraise_cursor;

static inline int barnraise_take(barnraise_cursor *c, u8 want) {
	if (c->at == c->end || *c->at != want) return 0;
	c->at++;
	return 1;
}

/* Gives the place of the quote that ends a string, from the one that begins it. */
static inline const u8 *barnraise_string(const u8 *at, const u8 *end) {
	for (at++; at < end - 1 && *at != '"'; at++) {
		if (*at == '\\') at++;
	}
	return at < end ? at : end - 1;
}

/* Passes one value, up to a comma or the character that closes what it stands in. */
static inline bytes barnraise_value(barnraise_cursor *c, u8 close) {
	const u8 *start = c->at;
	int depth = 0;
	for (; c->at < c->end; c->at++) {
		u8 x = *c->at;
		if (x == '"') c->at = barnraise_string(c->at, c->end);
		else if (depth == 0 && (x == ',' || x == close)) break;
		else if (x == '{' || x == '[') depth++;
		else if (x == '}' || x == ']') depth--;
	}
	return (bytes){start, (u32)(c->at - start)};
}

/* Passes an array, and counts its values. */
static inline int barnraise_list(barnraise_cursor *c, bytes *list, u32 *count) {
	if (!barnraise_take(c, '[')) return 0;
	if (barnraise_take(c, ']')) return 1;
	do {
		if (*count == MAX_ANSWERS) return 0;
		list[(*count)++] = barnraise_value(c, ']');
	} while (barnraise_take(c, ','));
	return barnraise_take(c, ']');
}

static inline int barnraise_is(bytes name, const char *want) {
	u32 i = 0;
	for (; i < name.length && want[i]; i++) {
		if (name.at[i] != (u8)want[i]) return 0;
	}
	return i == name.length && !want[i];
}

static inline int barnraise_read(barnraise_cursor *c, input *in) {
	if (!barnraise_take(c, '{')) return 0;
	do {
		bytes name = barnraise_value(c, ':');
		if (!barnraise_take(c, ':')) return 0;
		if (barnraise_is(name, "\"requests\"")) {
			if (!barnraise_list(c, in->requests, &in->requests_count)) return 0;
		} else if (barnraise_is(name, "\"responses\"")) {
			if (!barnraise_list(c, in->responses, &in->responses_count)) return 0;
		} else {
			bytes value = barnraise_value(c, '}');
			if (barnraise_is(name, "\"config\"")) in->config = value;
		}
	} while (barnraise_take(c, ','));
	return barnraise_take(c, '}') && c->at == c->end;
}

/* Marks the version of the interface; nobody calls it. */
__attribute__((export_name("verifier_abi_1"))) void barnraise_abi(void) {}

__attribute__((export_name("minRequests"))) int barnraise_min_requests(void) { return min_requests(); }

__attribute__((export_name("verify"))) verdict barnraise_verify(const u8 *at, u32 length) {
	static input in;
	barnraise_cursor c = {at, at + length};
	return barnraise_read(&c, &in) ? verify(&in) : undecided("the input is not of ABI 1");
}

#endif
