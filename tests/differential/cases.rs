//! Worlds and their calls, as `cases/*.toml` have them. A file is a category:
//!
//! ```toml
//! [base]                      # what each world starts from; its own keys take precedence, but
//!                             # what differs in `base` differs in all
//! resolv = "nameserver 127.0.0.1\n"
//!
//! [[world]]
//! name = "ndots-{n}"
//! vary = { n = ["0", "1"] }   # one world for each choice of values: {n} in any text below
//! resolv = "…"                # /etc/resolv.conf; so hosts, nsswitch, gai, services
//! files = { "/etc/x" = "…" }  # others; false removes one
//! network = ["address 192.0.2.1/24", "no-ipv6", "default-4", "case v4", "ip link …"]
//! env = { RES_OPTIONS = "…" }
//! dns = "…"                   # name servers, see `script`
//! limit = 10                  # seconds that a call may take
//! calls = "…"                 # a case a line, see tests/c/{gai,hostent,resolver,each}; # comments
//! cross = [{ form = "gai -f {f} {n} -", f = ["inet", "inet6"], n = ["a.test", "b.test"] }]
//! wire = false                # what reached the servers is left aside
//!
//! [[world.differ]]            # where the library differs on purpose
//! calls = "gai * {x,y}.test -"  # of which cases; * is any text
//! row = "…"                   # a row of docs/divergences.md, by its first column
//! since = "2.38"              # from this libc on
//! before = "2.41"             # up to this libc, which no longer does so
//! libc = "EAI_AGAIN*"         # what each comes to, with * for any text and " / " between lines
//! rustdns = "0 / *"
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use toml::{Table, Value};

use super::expand::{self, Values};
use super::verdict::Divergence;

/// A fixture and the calls made in it.
#[derive(Clone, Debug)]
pub struct World {
    pub category: String,
    pub name: String,
    /// Path → contents; `None` removes it.
    pub files: BTreeMap<String, Option<String>>,
    pub network: Vec<String>,
    pub env: Values,
    pub dns: String,
    /// Seconds.
    pub limit: u64,
    pub calls: Vec<String>,
    pub differ: Vec<Divergence>,
    pub wire: bool,
}

impl World {
    /// How a case is named.
    pub fn id(&self, call: &str) -> String {
        format!("{}/{}: {call}", self.category, self.name)
    }

    /// Tells a world that takes long from one that doesn't.
    pub fn weight(&self) -> usize {
        self.calls.len() * if self.waits() { 500 } else { 1 }
    }

    fn waits(&self) -> bool {
        ["drop", "delay", "timeout"].iter().any(|w| self.dns.contains(w))
    }
}

/// The files that a world has a key for.
const FILES: [(&str, &str); 6] = [
    ("resolv", "/etc/resolv.conf"),
    ("hosts", "/etc/hosts"),
    ("nsswitch", "/etc/nsswitch.conf"),
    ("gai", "/etc/gai.conf"),
    ("services", "/etc/services"),
    ("aliases", "/etc/aliases.test"),
];

const KEYS: [&str; 12] = [
    "name", "vary", "files", "network", "env", "dns", "limit", "calls", "cross", "differ", "wire",
    "why",
];

/// All worlds, or of all only the cases whose id has this text in it.
pub fn load(selection: Option<&str>) -> Vec<World> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/cases");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut worlds: Vec<World> = files.iter().flat_map(|file| category(file)).collect();
    unique(&worlds);
    if let Some(text) = selection {
        for world in &mut worlds {
            let world_itself = world.clone();
            world.calls.retain(|call| world_itself.id(call).contains(text));
        }
    }
    worlds.retain(|world| !world.calls.is_empty());
    worlds
}

/// How many calls of a world are in [`part`]; and of one that waits.
const PART: usize = 12;
const PART_WAITING: usize = 3;

/// A part of the cases that takes a fraction of the time: some calls of each world, from its first to its last,
/// and all where libcs are known to differ.
pub fn part(mut worlds: Vec<World>) -> Vec<World> {
    for world in &mut worlds {
        let most = if world.waits() { PART_WAITING } else { PART };
        let step = world.calls.len().div_ceil(most);
        let mut number = 0;
        let differ = &world.differ;
        world.calls.retain(|call| {
            number += 1;
            (number - 1) % step == 0 || differ.iter().any(|d| d.is_of_some_libcs(call))
        });
    }
    worlds
}

/// A world that is there twice would be counted twice.
fn unique(worlds: &[World]) {
    let mut ids: Vec<String> = worlds.iter().map(|world| world.id("")).collect();
    ids.sort();
    let twice: Vec<&String> = ids.windows(2).filter(|w| w[0] == w[1]).map(|w| &w[0]).collect();
    assert!(twice.is_empty(), "there twice: {twice:#?}");
}

fn category(file: &Path) -> Vec<World> {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let table: Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let base = table.get("base").map_or_else(Table::new, |base| base.as_table().unwrap().clone());
    let worlds = table["world"].as_array().unwrap();
    worlds.iter().flat_map(|own| worlds_of(name, &base, own.as_table().unwrap())).collect()
}

/// One world, or one for each choice of what varies.
fn worlds_of(category: &str, base: &Table, own: &Table) -> Vec<World> {
    let mut whole = base.clone();
    whole.extend(own.clone());
    if let (Some(Value::Array(of_all)), Some(Value::Array(all))) =
        (base.get("differ"), whole.get_mut("differ"))
        && own.contains_key("differ")
    {
        all.extend(of_all.iter().cloned());
    }
    for key in whole.keys() {
        let known = KEYS.contains(&key.as_str()) || FILES.iter().any(|(name, _)| name == key);
        assert!(known, "{category}: {key} is no key of a world");
    }
    let varied = whole.get("vary").map_or_else(Vec::new, |vary| lists(vary, None));
    expand::product(&varied).iter().map(|values| world(category, &whole, values)).collect()
}

/// The lists of a table, but for the key `except`.
fn lists(table: &Value, except: Option<&str>) -> Vec<(String, Vec<String>)> {
    let table = table.as_table().unwrap().iter().filter(|(key, _)| Some(key.as_str()) != except);
    let texts = |list: &Value| -> Vec<String> {
        let texts = list.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned());
        texts
            .flat_map(|text| expand::text(&text).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    // `"".lines()` has none; the empty text is a value too.
    let texts = |list: &Value| {
        let some = texts(list);
        let empty = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v.as_str() == Some(""))
            .map(|_| String::new());
        empty.chain(some).collect()
    };
    table.map(|(key, list)| (key.clone(), texts(list))).collect()
}

fn world(category: &str, table: &Table, values: &Values) -> World {
    let get = |key: &str| table.get(key);
    let raw = |value: &Value| expand::fill(value.as_str().unwrap(), values);
    let text = |value: &Value| expand::text(&raw(value));
    let texts =
        |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().map(text).collect() };
    let mut files = BTreeMap::new();
    for (key, path) in FILES {
        if let Some(value) = get(key) {
            files.insert(path.to_owned(), value.as_str().map(|_| text(value)));
        }
    }
    for (path, value) in get("files").map_or(&Table::new(), |files| files.as_table().unwrap()) {
        files.insert(path.clone(), value.as_str().map(|_| text(value)));
    }
    let mut env = Values::new();
    for (name, value) in get("env").map_or(&Table::new(), |env| env.as_table().unwrap()) {
        env.insert(name.clone(), text(value));
    }
    World {
        category: category.to_owned(),
        name: raw(get("name").unwrap()),
        files,
        network: get("network").map_or_else(Vec::new, texts),
        env,
        dns: get("dns").map_or_else(String::new, text),
        limit: get("limit").map_or(10, |limit| u64::try_from(limit.as_integer().unwrap()).unwrap()),
        calls: calls(table, values),
        differ: get("differ").map_or_else(Vec::new, |list| {
            list.as_array().unwrap().iter().map(|one| divergence(one, &raw)).collect()
        }),
        wire: get("wire").is_none_or(|wire| wire.as_bool().unwrap()),
    }
}

fn calls(table: &Table, values: &Values) -> Vec<String> {
    let mut calls = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |text: &str| {
        for call in expand::text(text).lines().map(str::trim) {
            // What two lists have in common is one case.
            if !call.is_empty() && !call.starts_with('#') && known.insert(call.to_owned()) {
                calls.push(call.to_owned());
            }
        }
    };
    if let Some(text) = table.get("calls") {
        add(&expand::fill(text.as_str().unwrap(), values));
    }
    for cross in table.get("cross").map_or(&Vec::new(), |cross| cross.as_array().unwrap()) {
        // A key of the cross product hides the world's.
        let mut others = values.clone();
        others.retain(|key, _| cross.get(key).is_none());
        let form = expand::fill(cross["form"].as_str().unwrap(), &others);
        for chosen in expand::product(&lists(cross, Some("form"))) {
            let call = expand::fill(&form, &chosen);
            add(&call.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    calls
}

fn divergence(value: &Value, text: &impl Fn(&Value) -> String) -> Divergence {
    let version = |key: &str| value.get(key).map(|value| text(value).parse().unwrap());
    Divergence {
        calls: expand::alternatives(&text(&value["calls"])),
        row: text(&value["row"]),
        since: version("since"),
        before: version("before"),
        libc: text(&value["libc"]),
        rustdns: text(&value["rustdns"]),
    }
}
