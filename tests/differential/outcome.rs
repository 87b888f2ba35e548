//! What a case came to.

/// What a case's calls returned, and what reached the servers meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// As the probe printed it.
    pub returned: String,
    /// A query a line; empty where the world leaves them aside.
    pub asked: Vec<String>,
}

impl Outcome {
    /// All of it, for comparing and showing.
    pub fn text(&self) -> String {
        let mut text = self.returned.clone();
        for query in &self.asked {
            text.push_str(&format!("? {query}\n"));
        }
        text
    }

    /// All of it in one line.
    fn line(&self) -> String {
        self.text().lines().map(str::trim).collect::<Vec<_>>().join(" / ")
    }

    /// Whether it is as `pattern` says, where `*` is any text.
    pub fn is_like(&self, pattern: &str) -> bool {
        is_like(&self.line(), pattern)
    }
}

/// Whether `text` is as `pattern` says, where `*` is any text.
pub fn is_like(text: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return text == pattern };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}
