//! The short forms of what would be long to write.
//!
//! | written | stands for |
//! |---|---|
//! | `{x*63}` | `x` 63 times |
//! | `{a...b}` | its word once for each number from a to b: `d{1...3}` is `d1 d2 d3` |
//! | `{a..b}` | its line once for each number |
//! | `{key}` | the value that a world's or a cross product's `key` has |

use std::collections::BTreeMap;

/// What placeholders stand for.
pub type Values = BTreeMap<String, String>;

/// Puts values in the place of `{key}`; other braces stay.
pub fn fill(text: &str, values: &Values) -> String {
    let mut filled = text.to_owned();
    for (key, value) in values {
        filled = filled.replace(&format!("{{{key}}}"), value);
    }
    filled
}

/// Every choice of one value for each key.
pub fn product(keys: &[(String, Vec<String>)]) -> Vec<Values> {
    let mut all = vec![Values::new()];
    for (key, values) in keys {
        let with = |chosen: &Values, value: &String| {
            let mut chosen = chosen.clone();
            chosen.insert(key.clone(), value.clone());
            chosen
        };
        all = all.iter().flat_map(|c| values.iter().map(move |v| with(c, v))).collect();
    }
    all
}

/// Expands all but placeholders.
pub fn text(text: &str) -> String {
    if !text.contains('{') {
        return text.to_owned();
    }
    let all = text.split('\n').flat_map(|line| lines(&repetitions(line)));
    let all: Vec<String> =
        all.map(|line| line.split(' ').map(words).collect::<Vec<String>>().join(" ")).collect();
    all.join("\n")
}

/// Each text that `{one,or,another}` in this one stands for.
pub fn alternatives(text: &str) -> Vec<String> {
    let choices = |inside: &str| {
        inside.contains(',').then(|| inside.split(',').map(str::to_owned).collect::<Vec<_>>())
    };
    match find(text, choices) {
        Some((before, choices, after)) => {
            choices.iter().flat_map(|c| alternatives(&format!("{before}{c}{after}"))).collect()
        }
        None => vec![text.to_owned()],
    }
}

/// The innermost `{…}` that `reads` makes something of: what is before, what it means, what is after.
fn find<T>(text: &str, reads: impl Fn(&str) -> Option<T>) -> Option<(&str, T, &str)> {
    text.match_indices('}').find_map(|(end, _)| {
        let start = text[..end].rfind('{')?;
        let meaning = reads(&text[start + 1..end])?;
        Some((&text[..start], meaning, &text[end + 1..]))
    })
}

fn repetitions(text: &str) -> String {
    let reads = |inside: &str| {
        let (what, times) = inside.rsplit_once('*')?;
        Some(what.repeat(times.parse().ok()?))
    };
    match find(text, reads) {
        Some((before, middle, after)) => repetitions(&format!("{before}{middle}{after}")),
        None => text.to_owned(),
    }
}

fn range(inside: &str, dots: &str) -> Option<Vec<u32>> {
    let (from, to) = inside.split_once(dots)?;
    let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
    Some((from..=to).collect())
}

fn words(word: &str) -> String {
    match find(word, |inside| range(inside, "...")) {
        Some((before, numbers, after)) => {
            let words: Vec<String> =
                numbers.iter().map(|n| format!("{before}{n}{after}")).collect();
            words.join(" ")
        }
        None => word.to_owned(),
    }
}

/// The same number in each place that has the same range.
fn lines(line: &str) -> Vec<String> {
    match find(line, |inside| Some((inside.to_owned(), range(inside, "..")?))) {
        Some((_, (inside, numbers), _)) => {
            let place = format!("{{{inside}}}");
            numbers.iter().flat_map(|n| lines(&line.replace(&place, &n.to_string()))).collect()
        }
        None => vec![line.to_owned()],
    }
}
