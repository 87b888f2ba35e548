#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| rustdns_fuzz::checks::calls::getnameinfo(input));
