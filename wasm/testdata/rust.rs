// A command in Rust with its standard library. Built with rustc 1.63 and wasm-ld 14:
// rustc --target wasm32-wasi -C opt-level=s -C lto -C panic=abort -C strip=symbols -o rust.wasm rust.rs
use std::collections::HashMap;
use std::io::Read;
use std::time::{Duration, Instant, SystemTime};

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    match text.as_str() {
        "exit" => std::process::exit(3),
        "panic" => panic!("as it was told"),
        _ => (),
    }
    let mut count = HashMap::new(); // in an order of chance
    for c in text.chars() {
        *count.entry(c).or_insert(0) += 1;
    }
    let before = Instant::now();
    std::thread::sleep(Duration::from_millis(5));
    let slept = before.elapsed() >= Duration::from_millis(5);
    println!("{:?} {:?} {} {:?}", count, SystemTime::now(), slept, std::env::args().count());
    eprintln!("not for the caller");
}
