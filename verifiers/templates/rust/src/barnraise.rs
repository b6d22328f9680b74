//! What a verifier for Barnraise is written against, ABI 1. There is nothing to change here.
#![allow(dead_code, non_snake_case)]

/// What the host hands over. Each body is as it was written, and is strict JSON; responses\[i\] answers requests\[i\].
#[derive(Default)]
pub struct Input<'a> {
    /// The configuration from the service's manifest, JSON; `null` where it has none.
    pub config: &'a [u8],
    pub requests: Vec<&'a [u8]>,
    pub responses: Vec<&'a [u8]>,
}

impl<'a> Input<'a> {
    /// Why these are not answers to one request, in words for a verdict; nothing where they are.
    pub fn incomparable(&self) -> Option<&'static str> {
        if self.responses.is_empty() || self.requests.len() != self.responses.len() {
            return Some("want one response to each request, and at least one");
        }
        if self.requests.iter().any(|r| r != &self.requests[0]) {
            return Some("the requests differ");
        }
        None
    }

    fn read(text: &'a [u8]) -> Option<Self> {
        let mut input = Input::default();
        let mut c = Cursor { text, at: 0 };
        c.take(b'{')?;
        loop {
            let name = c.value(b':');
            c.take(b':')?;
            match name {
                b"\"requests\"" => input.requests = c.list()?,
                b"\"responses\"" => input.responses = c.list()?,
                b"\"config\"" => input.config = c.value(b'}'),
                _ => drop(c.value(b'}')),
            }
            if c.take(b',').is_none() {
                break;
            }
        }
        c.take(b'}')?;
        (c.at == text.len()).then_some(input)
    }
}

/// What a verifier says of some answers.
pub struct Verdict(String);

impl Verdict {
    /// The answer of that index is right.
    pub fn accepted(winner: usize) -> Self {
        Self::new("accepted", winner as i32, &[], "")
    }

    /// The answer of that index is right, and those of the culprits, ascending, are known to be wrong.
    pub fn accepted_against(winner: usize, culprits: &[usize]) -> Self {
        Self::new("accepted", winner as i32, culprits, "")
    }

    /// They cannot all be right. Culprits, ascending, are those known to be wrong; often that cannot be said. The reason is
    /// for people: short, in ASCII.
    pub fn disagreement(culprits: &[usize], reason: &str) -> Self {
        Self::new("disagreement", -1, culprits, reason)
    }

    /// Cannot tell.
    pub fn undecided(reason: &str) -> Self {
        Self::new("undecided", -1, &[], reason)
    }

    fn new(status: &str, winner: i32, culprits: &[usize], reason: &str) -> Self {
        let list: Vec<String> = culprits.iter().map(|c| c.to_string()).collect();
        let plain = |c: char| {
            if (' '..='~').contains(&c) && c != '"' && c != '\\' {
                c
            } else {
                '?'
            }
        };
        let reason: String = reason.chars().take(256).map(plain).collect();
        let (open, close) = ("{", "}");
        Verdict(format!(
            r#"{open}"status":"{status}","winner":{winner},"culprits":[{}],"reason":"{reason}"{close}"#,
            list.join(",")
        ))
    }
}

/// Goes through JSON text. Values are views with the white space around them, as the bodies were written.
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Passes one character, if that is what comes next.
    fn take(&mut self, c: u8) -> Option<()> {
        let found = self.text.get(self.at) == Some(&c);
        self.at += found as usize;
        found.then_some(())
    }

    /// Passes an array and gives its values.
    fn list(&mut self) -> Option<Vec<&'a [u8]>> {
        let mut values = Vec::new();
        self.take(b'[')?;
        if self.take(b']').is_some() {
            return Some(values);
        }
        loop {
            values.push(self.value(b']'));
            if self.take(b',').is_none() {
                self.take(b']')?;
                return Some(values);
            }
        }
    }

    /// Passes one value, up to a comma or the character that closes what it stands in.
    fn value(&mut self, close: u8) -> &'a [u8] {
        let (text, start) = (self.text, self.at);
        let mut depth = 0;
        while let Some(&c) = text.get(self.at) {
            match c {
                b'"' => self.string(),
                _ if depth == 0 && (c == b',' || c == close) => break,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
        }
        self.at = self.at.min(text.len());
        &text[start..self.at]
    }

    /// Goes to the quote that ends a string, from the one that begins it.
    fn string(&mut self) {
        self.at += 1;
        while let Some(&c) = self.text.get(self.at) {
            match c {
                b'"' => return,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

/// Marks the version of the interface; nobody calls it.
#[no_mangle]
pub extern "C" fn verifier_abi_1() {}

#[no_mangle]
pub extern "C" fn minRequests() -> i32 {
    crate::min_requests()
}

/// Gives the host room for the input. An instance lives for one verdict, so nothing is ever freed.
#[no_mangle]
pub extern "C" fn alloc(length: u32) -> *mut u8 {
    Box::leak(vec![0; length as usize].into_boxed_slice()).as_mut_ptr()
}

/// Gives the place of the verdict in the upper half of the number, its length in the lower.
///
/// # Safety
/// The place is that of so many bytes which the host has written.
#[no_mangle]
pub unsafe extern "C" fn verify(at: *const u8, length: u32) -> u64 {
    let text = std::slice::from_raw_parts(at, length as usize);
    let verdict = match Input::read(text) {
        Some(input) => crate::verify(&input),
        None => Verdict::undecided("the input is not of ABI 1"),
    };
    let bytes = Box::leak(verdict.0.into_bytes().into_boxed_slice());
    (bytes.as_ptr() as u64) << 32 | bytes.len() as u64
}
