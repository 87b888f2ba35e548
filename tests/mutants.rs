//! Tests that watch over a protection fail without it: `tests/mutants/*.toml`, one test a list.

mod support;

#[test]
fn servers() {
    support::mutants::all_are_caught("servers");
}

#[test]
fn hosts() {
    support::mutants::all_are_caught("hosts");
}

#[test]
fn field() {
    support::mutants::all_are_caught("field");
}
