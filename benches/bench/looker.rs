//! Runs of programs that look up, and what they say of themselves.

use crate::Result;
use crate::bed::{Bed, Etc, Running, World};
use crate::contestant::Contestant;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

/// No run may take longer; the longest, ten million lookups, takes about ten minutes.
pub const LIMIT: Duration = Duration::from_secs(1200);

/// What a run printed: a number by its key, and each lookup's time where it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    values: BTreeMap<String, f64>,
    /// ns, in order.
    pub each: Vec<f64>,
    /// Lookups done and KiB resident.
    pub memory: Vec<(f64, f64)>,
}

impl Figures {
    fn read(text: &str) -> Figures {
        let mut figures = Figures::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let Some(key) = words.next() else { continue };
            let numbers: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
            match (key, numbers.as_slice()) {
                ("each", [ns]) => figures.each.push(*ns),
                ("memory", [lookups, kib]) => figures.memory.push((*lookups, *kib)),
                (key, [value]) => {
                    figures.values.insert(key.to_owned(), *value);
                }
                _ => {}
            }
        }
        figures
    }

    /// The number under a key.
    pub fn get(&self, key: &str) -> Result<f64> {
        self.values.get(key).copied().ok_or(format!("no {key} in a program's output"))
    }

    /// A time of the program's, in µs.
    pub fn micros(&self, key: &str) -> Result<f64> {
        Ok(self.get(key)? / 1e3)
    }

    /// Its CPU time for a lookup, in µs.
    pub fn cpu(&self) -> Result<f64> {
        Ok(self.get("cpu")? / self.get("lookups")? / 1e3)
    }

    /// Lookups in a second.
    pub fn throughput(&self) -> Result<f64> {
        Ok(self.get("lookups")? / self.get("wall")? * 1e9)
    }

    /// What a memory figure has grown by, in KiB.
    pub fn growth(&self, key: &str) -> Result<f64> {
        Ok(self.get(&format!("{key}_after"))? - self.get(&format!("{key}_before"))?)
    }
}

/// The middle one; of an even number, the upper of the two.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Key by key, the median of several runs.
fn medians(runs: &[Figures]) -> Figures {
    let keys = runs.first().map(|run| run.values.keys().cloned().collect::<Vec<_>>());
    let of = |key: &String| median(runs.iter().filter_map(|run| run.get(key).ok()).collect());
    let values = keys.unwrap_or_default().into_iter().map(|key| (key.clone(), of(&key))).collect();
    Figures { values, ..runs.first().cloned().unwrap_or_default() }
}

/// A contestant in its world, with its environment.
#[derive(Debug)]
pub struct Looker<'a> {
    pub contestant: Contestant,
    world: World,
    environment: Vec<String>,
    bed: &'a Bed,
}

impl<'a> Looker<'a> {
    /// `contestant` with these files; `name` is the world's, another for each that is there at once.
    pub fn new(bed: &'a Bed, contestant: Contestant, name: &str, etc: &Etc) -> Result<Looker<'a>> {
        let world = match contestant {
            Contestant::Nscd => bed.world_with_nscd(name, etc)?,
            Contestant::Dnsmasq => bed.world_with_dnsmasq(&format!("{name}-dnsmasq"), etc)?,
            _ => bed.world(name, etc)?,
        };
        Ok(Looker { contestant, world, environment: Vec::new(), bed })
    }

    /// With a variable (`NAME=value`) in the environment.
    pub fn with(mut self, variable: &str) -> Looker<'a> {
        self.environment.push(variable.to_owned());
        self
    }

    /// The command that runs `tool` on the program with these options, which end with the number of
    /// lookups and the name. `preload` comes after the library.
    pub fn command(&self, tool: &[&str], preload: &str, options: &str) -> Command {
        self.world.bounded(LIMIT, &self.words(tool, preload, options))
    }

    /// Starts the program, which runs until the value is dropped or it has done its lookups.
    pub fn start(&self, options: &str) -> Result<Running> {
        let mut command = self.world.command(&self.words(&[], "", options));
        Running::start(command.stdout(Stdio::null()))
    }

    fn words(&self, tool: &[&str], preload: &str, options: &str) -> Vec<String> {
        let ours = self.contestant == Contestant::Rustdns;
        let library = ours.then(|| self.bed.library.display().to_string());
        let preloads: Vec<String> =
            library.into_iter().chain((!preload.is_empty()).then(|| preload.to_owned())).collect();
        let mut words = vec!["env".to_owned()];
        words.extend(self.environment.iter().cloned());
        if !preloads.is_empty() {
            words.push(format!("LD_PRELOAD={}", preloads.join(" ")));
        }
        words.extend(tool.iter().map(|&word| word.to_owned()));
        // As most programs are: without the right to leave their network namespace.
        words.extend(["setpriv", "--bounding-set=-all", "--inh-caps=-all"].map(str::to_owned));
        words.push(self.bed.program(self.contestant.program()));
        words.extend(options.split_whitespace().map(str::to_owned));
        words
    }

    /// Any program in its world.
    pub fn other(&self, words: &[String]) -> Command {
        self.world.bounded(LIMIT, words)
    }

    /// Runs it once.
    pub fn run(&self, options: &str) -> Result<Figures> {
        self.run_with("", options)
    }

    /// The same with a library of the bench preloaded.
    pub fn run_with(&self, preload: &str, options: &str) -> Result<Figures> {
        output(&mut self.command(&[], preload, options)).map(|(text, _)| Figures::read(&text))
    }
}

/// What a command that must succeed has printed: standard output, and error.
pub fn output(command: &mut Command) -> Result<(String, String)> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    match output.status.success() {
        true => Ok((out, err)),
        false => Err(format!("{command:?}: {}\n{err}", output.status)),
    }
}

/// Lookers for these contestants, all with the same files.
pub fn lookers<'a>(
    bed: &'a Bed,
    contestants: &[Contestant],
    name: &str,
    etc: &Etc,
) -> Result<Vec<Looker<'a>>> {
    contestants.iter().map(|&contestant| Looker::new(bed, contestant, name, etc)).collect()
}

/// Runs all of them in turn, `rounds` times, and takes each one's medians. `options` are made from
/// the number of the run, which is another for each.
pub fn in_turn(
    lookers: &[Looker<'_>],
    rounds: usize,
    options: impl Fn(usize) -> String,
) -> Result<Vec<(Contestant, Figures)>> {
    let mut runs = vec![Vec::new(); lookers.len()];
    for round in 0..rounds {
        for (index, (looker, runs)) in lookers.iter().zip(&mut runs).enumerate() {
            runs.push(looker.run(&options(round * lookers.len() + index))?);
        }
    }
    Ok(lookers
        .iter()
        .map(|looker| looker.contestant)
        .zip(runs.iter().map(|runs| medians(runs)))
        .collect())
}

/// One contestant's figures.
pub fn of(results: &[(Contestant, Figures)], contestant: Contestant) -> Result<&Figures> {
    let found = results.iter().find(|(one, _)| *one == contestant);
    found.map(|(_, figures)| figures).ok_or(format!("{} was not measured", contestant.name()))
}
