#include "barnraise.h"

/* How many servers a caller asks at least, 1 to 64. The caller sees to it; verify need not count. */
static int min_requests(void) { return 2; }

/* Says whether these responses, of different servers to one request, can all be right. Here they can if they are the same
 * bytes. With two it says whether both can be true, with one whether it proves itself or at least contradicts nothing. */
static verdict verify(const input *in) {
	const char *problem = incomparable(in);
	if (problem) return undecided(problem);
	for (u32 i = 1; i < in->responses_count; i++) {
		/* Which of them is wrong the bytes do not say, and a majority is no proof: there are no culprits. */
		if (!equal(in->responses[0], in->responses[i])) return disagreement(0, 0, "the answers differ");
	}
	return accepted(0);
}
