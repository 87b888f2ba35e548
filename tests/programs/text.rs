//! What is taken out of a program's text because it differs between any two runs.

/// All of it as it is.
pub fn whole(text: &str) -> String {
    text.to_owned()
}

/// Without the lines that contain one of `parts`.
pub fn without_lines(text: &str, parts: &[&str]) -> String {
    text.lines()
        .filter(|line| !parts.iter().any(|part| line.contains(part)))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// With `...` for what is between `start` and `end`, wherever both are on one line.
pub fn without_between(text: &str, start: &str, end: &str) -> String {
    text.lines().fold(String::new(), |all, line| {
        let cut = line.split_once(start).and_then(|(before, rest)| {
            rest.split_once(end).map(|(_, after)| format!("{before}{start}...{end}{after}"))
        });
        all + &cut.unwrap_or_else(|| line.to_owned()) + "\n"
    })
}

/// Without a line that repeats the one before it.
pub fn without_repeats(text: &str) -> String {
    let mut last = None;
    text.lines()
        .filter(|line| last.replace(*line) != Some(*line))
        .fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn cuts_only_what_varies() {
    assert_eq!(without_lines("a\nbc\nd\n", &["c"]), "a\nd\n");
    assert_eq!(without_between("x time=0.05 ms\ny\n", "time=", " ms"), "x time=... ms\ny\n");
    assert_eq!(without_between("time=5\n", "time=", " ms"), "time=5\n");
    assert_eq!(without_repeats("a\na\nb\na\n"), "a\nb\na\n");
}
