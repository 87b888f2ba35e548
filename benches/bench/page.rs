//! docs/performance.md: where it was measured, and the run's text between two markers.

use crate::Result;
use crate::bed::Bed;
use crate::looker::output;
use crate::plot::Plot;
use std::fs;
use std::path::Path;
use std::process::Command;

const BEGIN: &str = "<!-- make bench: begin -->";
const END: &str = "<!-- make bench: end -->";

/// The machine, and who is measured in which version.
pub fn machine(bed: &Bed) -> Result<String> {
    let said = |program: &str, words: &[&str]| -> Result<String> {
        Ok(output(Command::new(program).args(words))?.0.trim().to_owned())
    };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("a processor without a name", |(_, model)| model);
    // Written by scripts/bench, which has built or found them.
    let versions = bed.folder.join("versions");
    let versions = fs::read_to_string(&versions)
        .map_err(|error| format!("{}: {error}", versions.display()))?;
    let versions: Vec<&str> = versions.lines().collect();
    Ok(format!(
        "Measured {} by `make bench` on {} with {} cores, Linux {}: {}. Load average when it began: {}.\n",
        said("date", &["-u", "+%F"])?,
        model.trim(),
        said("nproc", &[])?,
        said("uname", &["-r"])?,
        versions.join(", "),
        bed.load
    ))
}

/// Puts `text` between the markers of docs/performance.md, and the plots beside it.
pub fn write(bed: &Bed, text: &str, plots: &[Plot]) -> Result<()> {
    let docs = bed.root.join("docs");
    let page = docs.join("performance.md");
    let old = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let parts =
        old.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.ok_or(format!("{}: no {BEGIN} and {END}", page.display()))?;
    save(&page, &format!("{head}{BEGIN}\n\n{text}\n{END}{tail}"))?;
    for plot in plots {
        save(&docs.join(plot.file), &plot.svg())?;
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}
