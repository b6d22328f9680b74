mod barnraise;

use barnraise::{Input, Verdict};

/// How many servers a caller asks at least, 1 to 64. The caller sees to it; `verify` need not count.
pub fn min_requests() -> i32 {
    2
}

/// Says whether these responses, of different servers to one request, can all be right. Here they can if they are the same
/// bytes. With two it says whether both can be true, with one whether it proves itself or at least contradicts nothing.
pub fn verify(input: &Input) -> Verdict {
    if let Some(problem) = input.incomparable() {
        return Verdict::undecided(problem);
    }
    if input
        .responses
        .iter()
        .any(|response| response != &input.responses[0])
    {
        // Which of them is wrong the bytes do not say, and a majority is no proof: there are no culprits.
        return Verdict::disagreement(&[], "the answers differ");
    }
    Verdict::accepted(0)
}
