//! A tree of lines, indented or drawn.

use crate::paint::Paint;

/// A line, and what belongs to it.
pub(crate) struct Node {
    text: String,
    children: Vec<Node>,
}

impl Node {
    pub(crate) fn new(text: impl Into<String>) -> Node {
        Node { text: text.into(), children: Vec::new() }
    }

    /// The same with lines below it.
    pub(crate) fn with(mut self, children: impl IntoIterator<Item = Node>) -> Node {
        self.children.extend(children);
        self
    }

    pub(crate) fn push(&mut self, child: Node) {
        self.children.push(child);
    }

    /// Each line two blanks further in than the one that it belongs to.
    pub(crate) fn indented(&self) -> String {
        let mut out = String::new();
        self.indent(&mut out, 0);
        out
    }

    fn indent(&self, out: &mut String, depth: usize) {
        out.push_str(&"  ".repeat(depth));
        out.push_str(&self.text);
        out.push('\n');
        self.children.iter().for_each(|child| child.indent(out, depth + 1));
    }

    /// With branches.
    pub(crate) fn drawn(&self, paint: Paint) -> String {
        let mut out = format!("{}\n", self.text);
        self.branches(&mut out, "", paint);
        out
    }

    fn branches(&self, out: &mut String, before: &str, paint: Paint) {
        for (left, child) in (0..self.children.len()).rev().zip(&self.children) {
            let (branch, below) = if left == 0 {
                (paint.character("└─ ", "`- "), "   ")
            } else {
                (paint.character("├─ ", "|- "), paint.character("│  ", "|  "))
            };
            out.push_str(&format!("{before}{branch}{}\n", child.text));
            child.branches(out, &format!("{before}{below}"), paint);
        }
    }
}
