//! Plots as SVG, written by hand: lines over an axis that is linear or logarithmic, y from zero.

use crate::report::number;
use std::fmt::Write;

/// One line of a plot.
#[derive(Debug)]
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

impl Line {
    pub fn new(name: &str, points: Vec<(f64, f64)>) -> Line {
        Line { name: name.to_owned(), points }
    }
}

/// A plot.
#[derive(Debug)]
pub struct Plot {
    /// Its path below docs/.
    pub file: &'static str,
    pub title: &'static str,
    /// The axes' names.
    pub x: &'static str,
    pub y: &'static str,
    /// Whether x grows by factors.
    pub logarithmic: bool,
    pub lines: Vec<Line>,
}

/// The size of all, and of the part with the lines in it.
const SIZE: (f64, f64) = (720.0, 360.0);
const LEFT: f64 = 70.0;
const RIGHT: f64 = 570.0;
const TOP: f64 = 50.0;
const BOTTOM: f64 = 300.0;

/// Colours that people with any eyes tell apart, on white and on black (after Okabe and Ito). A
/// plot's last line, ours, has the first.
const COLOURS: &[&str] = &["#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00"];

/// Its own ground, and both changed where the reader's screen is dark.
const STYLE: &str = "\
<style>
.ground { fill: #ffffff } .text { fill: #24292f } .grid { stroke: #d0d7de } .axis { stroke: #57606a }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } .text { fill: #e6edf3 } .grid { stroke: #30363d } .axis { stroke: #8b949e }
}
text { font: 13px sans-serif } .title { font-size: 15px; font-weight: bold }
.line { fill: none; stroke-width: 2.5 }
</style>
";

impl Plot {
    /// The picture.
    pub fn svg(&self) -> String {
        let (width, height) = SIZE;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n{STYLE}\
             <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n",
            self.title
        );
        let mut text = |x: f64, y: f64, class: &str, anchor: &str, text: &str| {
            let _ = writeln!(
                out,
                "<text class=\"text {class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
            );
        };
        text(LEFT, 24.0, "title", "start", self.title);
        text(12.0, TOP - 10.0, "", "start", self.y);
        text((LEFT + RIGHT) / 2.0, BOTTOM + 44.0, "", "middle", self.x);
        let (ticks, top) = self.y_ticks();
        for &tick in &ticks {
            text(LEFT - 8.0, y_at(tick, top) + 4.0, "", "end", &label(tick));
        }
        for &value in &self.x_ticks() {
            text(self.x_at(value), BOTTOM + 20.0, "", "middle", &label(value));
        }
        for &tick in &ticks {
            let (y, class) = (y_at(tick, top), if tick == 0.0 { "axis" } else { "grid" });
            let _ = writeln!(
                out,
                "<line class=\"{class}\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>"
            );
        }
        self.draw(&mut out, top);
        out + "</svg>\n"
    }

    /// The lines, each with its name beside its end.
    fn draw(&self, out: &mut String, top: f64) {
        let mut names: Vec<(f64, &str, &str)> = Vec::new();
        for (line, colour) in self.lines.iter().rev().zip(COLOURS.iter().cycle()) {
            let at: Vec<(f64, f64)> =
                line.points.iter().map(|&(x, y)| (self.x_at(x), y_at(y, top))).collect();
            let path: Vec<String> = at.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            let _ = writeln!(
                out,
                "<polyline class=\"line\" stroke=\"{colour}\" points=\"{}\"/>",
                path.join(" ")
            );
            for (x, y) in &at {
                let _ = writeln!(
                    out,
                    "<circle fill=\"{colour}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>"
                );
            }
            if let Some((_, y)) = at.last() {
                names.push((*y, &line.name, colour));
            }
        }
        // From above to below, each far enough from the one before.
        names.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut lowest = f64::MIN;
        for (y, name, colour) in names {
            let y = y.max(lowest + 17.0);
            lowest = y;
            let (x, baseline) = (RIGHT + 12.0, y + 4.0);
            let _ = writeln!(
                out,
                "<rect fill=\"{colour}\" x=\"{x}\" y=\"{:.1}\" width=\"10\" height=\"10\"/>\
                 <text class=\"text\" x=\"{:.1}\" y=\"{baseline:.1}\">{name}</text>",
                y - 5.0,
                x + 15.0
            );
        }
    }

    fn x_range(&self) -> (f64, f64) {
        let all = self.lines.iter().flat_map(|line| &line.points).map(|&(x, _)| x);
        let (least, most) =
            all.fold((f64::MAX, f64::MIN), |(least, most), x| (least.min(x), most.max(x)));
        // A line's beginning is not an axis' unless it grows by factors.
        (if self.logarithmic { least } else { 0.0 }, most)
    }

    fn x_at(&self, x: f64) -> f64 {
        let scale = |x: f64| if self.logarithmic { x.ln() } else { x };
        let (least, most) = self.x_range();
        let (least, most) = (scale(least), scale(most));
        let part = if most > least { (scale(x) - least) / (most - least) } else { 0.5 };
        LEFT + part * (RIGHT - LEFT)
    }

    fn x_ticks(&self) -> Vec<f64> {
        if self.logarithmic {
            // The places that were measured.
            let longest = self.lines.iter().max_by_key(|line| line.points.len());
            return longest
                .map(|line| line.points.iter().map(|&(x, _)| x).collect())
                .unwrap_or_default();
        }
        ticks(self.x_range().1).0
    }

    fn y_ticks(&self) -> (Vec<f64>, f64) {
        let all = self.lines.iter().flat_map(|line| &line.points).map(|&(_, y)| y);
        ticks(all.fold(0.0, f64::max))
    }
}

fn y_at(y: f64, top: f64) -> f64 {
    BOTTOM - y / top * (BOTTOM - TOP)
}

/// Round values from 0 to at least `most`, and the last of them.
fn ticks(most: f64) -> (Vec<f64>, f64) {
    let rough = most.max(f64::MIN_POSITIVE) / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|factor| factor * power);
    let step = step.into_iter().find(|&step| step * 5.0 >= most).unwrap_or(power * 10.0);
    let count = (most / step - 1e-9).ceil().max(1.0) as usize;
    ((0..=count).map(|i| i as f64 * step).collect(), count as f64 * step)
}

fn label(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", trimmed(value / 1e6)),
        _ if value >= 1000.0 => number(value),
        _ => trimmed(value),
    }
}

/// Without zeros at its end.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
