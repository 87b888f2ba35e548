//! The search list: which names a program's name may stand for, in which order (resolv.conf(5),
//! RFC 1535), and what the answers to them mean together.

use crate::config::resolv::Options;
use core::fmt;

/// One name to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidate<'a> {
    /// The name as it was given.
    AsIs,
    /// The name with this domain behind it.
    Under(&'a [u8]),
}

/// What matters of resolv.conf and the name.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The search list.
    pub domains: &'a [Box<[u8]>],
    /// Names with at least as many dots are tried as they are first.
    pub ndots: u8,
    /// `no-tld-query`: a name without dots is not tried as it is.
    pub no_tld_query: bool,
}

impl<'a> Rules<'a> {
    /// The rules for `name`. Without `RES_DEFNAMES` a name without dots is not searched for; without
    /// `RES_DNSRCH` one with dots is not, and others in the first domain only (resolver(3)).
    pub fn new(options: &Options, domains: &'a [Box<[u8]>], name: &[u8]) -> Rules<'a> {
        let dotted = name.contains(&b'.');
        let count = match (dotted, options.no_default_names, options.no_search) {
            (true, _, true) | (false, true, _) => 0,
            (false, false, true) => domains.len().min(1),
            (true, _, false) | (false, false, false) => domains.len(),
        };
        Rules {
            domains: domains.get(..count).unwrap_or_default(),
            ndots: options.ndots,
            no_tld_query: options.no_tld_query,
        }
    }
}

/// The outcome of one candidate that had no usable records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// NXDOMAIN.
    NoName,
    /// The name exists without such records.
    NoData,
    /// The servers answered SERVFAIL.
    ServFail,
    /// No server answered at all.
    Silent,
    /// Every server's host refused: asking for other names would not help.
    Unreachable,
    /// Anything else: REFUSED, a name that is none.
    Final,
    /// There are records, though none that answer the question: libc looks no further.
    Unrelated,
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Miss::NoName => "no such name",
            Miss::NoData => "the name has no such records",
            Miss::ServFail => "SERVFAIL",
            Miss::Silent => "no server answered",
            Miss::Unreachable => "no server can be reached",
            Miss::Final => "not looked for under other names",
            Miss::Unrelated => "records that answer something else",
        })
    }
}

/// The state of a search: hands out candidates, is told their outcome, sums them up.
pub struct Search<'a> {
    rules: Rules<'a>,
    dots: usize,
    absolute: bool,
    stage: Stage,
    /// How many of the list's domains have been handed out.
    domain: usize,
    as_is_tried: bool,
    first_miss: Option<Miss>,
    no_data: bool,
    serv_fail: bool,
    last: Miss,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Domains,
    AsIsLast,
    Done,
}

impl<'a> Search<'a> {
    /// A search for `name`. A name that ends in a dot is absolute.
    pub fn new(name: &[u8], rules: Rules<'a>) -> Search<'a> {
        let dots = name.iter().filter(|&&b| b == b'.').count();
        Search {
            rules,
            dots,
            absolute: name.ends_with(b"."),
            stage: Stage::Start,
            domain: 0,
            as_is_tried: false,
            first_miss: None,
            no_data: false,
            serv_fail: false,
            last: Miss::NoName,
        }
    }

    /// The next name to ask for; `None` when the search is over.
    pub fn next_candidate(&mut self) -> Option<Candidate<'a>> {
        loop {
            match self.stage {
                Stage::Start => {
                    self.stage = if self.absolute { Stage::Done } else { Stage::Domains };
                    if self.absolute || self.dots >= usize::from(self.rules.ndots) {
                        self.as_is_tried = true;
                        return Some(Candidate::AsIs);
                    }
                }
                Stage::Domains => {
                    let Some(domain) = self.rules.domains.get(self.domain) else {
                        self.stage = Stage::AsIsLast;
                        continue;
                    };
                    self.domain += 1;
                    let domain = domain.strip_prefix(b".").unwrap_or(domain);
                    // The root in the list is the name as it is.
                    if !domain.is_empty() {
                        return Some(Candidate::Under(domain));
                    }
                    if !self.as_is_tried {
                        self.as_is_tried = true;
                        return Some(Candidate::AsIs);
                    }
                }
                Stage::AsIsLast => {
                    self.stage = Stage::Done;
                    let searched = !self.rules.domains.is_empty();
                    let wanted = self.dots > 0 || !searched || !self.rules.no_tld_query;
                    if !self.as_is_tried && wanted {
                        self.as_is_tried = true;
                        return Some(Candidate::AsIs);
                    }
                }
                Stage::Done => return None,
            }
        }
    }

    /// Takes in that the last candidate was a miss.
    pub fn missed(&mut self, candidate: Candidate<'_>, miss: Miss) {
        self.last = miss;
        let before_the_list = self.stage == Stage::Domains && self.domain == 0;
        if before_the_list && candidate == Candidate::AsIs {
            self.first_miss = Some(miss);
        }
        // What the name itself comes to behind the list counts only where nothing else does.
        let in_the_list = self.stage == Stage::Domains && !before_the_list;
        match miss {
            Miss::NoName => {}
            Miss::NoData => self.no_data |= in_the_list,
            Miss::ServFail => self.serv_fail |= in_the_list,
            Miss::Unreachable | Miss::Unrelated => self.stage = Stage::Done,
            // After the list the name is still tried as it is.
            Miss::Silent | Miss::Final => {
                if !before_the_list && self.stage == Stage::Domains {
                    self.stage = Stage::AsIsLast;
                }
            }
        }
    }

    /// What the search comes to when no candidate had records: the outcome of the name as it was
    /// given where that was asked first, else NODATA before SERVFAIL before the last one's.
    pub fn verdict(&self) -> Miss {
        match self.first_miss {
            _ if matches!(self.last, Miss::Unreachable | Miss::Unrelated) => self.last,
            Some(miss) => miss,
            None if self.no_data => Miss::NoData,
            None if self.serv_fail => Miss::ServFail,
            None => self.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::search::*;

    fn candidates(name: &str, ndots: u8, domains: &[&str], no_tld_query: bool) -> Vec<String> {
        let domains: Vec<Box<[u8]>> = domains.iter().map(|d| d.as_bytes().into()).collect();
        let rules = Rules { domains: &domains, ndots, no_tld_query };
        let mut search = Search::new(name.as_bytes(), rules);
        let mut all = Vec::new();
        while let Some(candidate) = search.next_candidate() {
            all.push(match candidate {
                Candidate::AsIs => name.to_owned(),
                Candidate::Under(domain) => format!("{name}.{}", str::from_utf8(domain).unwrap()),
            });
            search.missed(candidate, Miss::NoName);
        }
        all
    }

    #[test]
    fn order_of_candidates() {
        for (name, ndots, domains, no_tld_query, want) in [
            ("a", 1, &["x", "y.z"][..], false, &["a.x", "a.y.z", "a"][..]),
            ("a.b", 1, &["x"], false, &["a.b", "a.b.x"]),
            ("a.b", 2, &["x"], false, &["a.b.x", "a.b"]),
            ("a.b.", 5, &["x"], false, &["a.b."]),
            ("a", 0, &["x"], false, &["a", "a.x"]),
            ("a", 1, &["x"], true, &["a.x"]),
            ("a", 1, &[], true, &["a"]),
            ("a", 1, &[".", "x"], false, &["a", "a.x"]),
            ("a.b", 1, &[".", "x"], false, &["a.b", "a.b.x"]),
            ("a", 1, &[], false, &["a"]),
        ] {
            assert_eq!(
                candidates(name, ndots, domains, no_tld_query),
                want,
                "{name} {ndots} {domains:?}"
            );
        }
    }

    #[test]
    fn what_misses_come_to() {
        use Miss::*;
        let domains: Vec<Box<[u8]>> = vec![b"x"[..].into(), b"y"[..].into()];
        for (ndots, misses, want) in [
            // Two domains, then the name as it is.
            (1, [NoName, NoName, NoName], NoName),
            (1, [NoData, NoName, NoName], NoData),
            (1, [ServFail, NoName, NoName], ServFail),
            (1, [ServFail, NoData, NoName], NoData),
            (1, [NoName, NoName, NoData], NoData),
            // The name as it is, then two domains: what was asked for decides.
            (0, [NoName, NoData, NoData], NoName),
            (0, [NoData, NoName, NoName], NoData),
            (0, [ServFail, NoName, NoName], ServFail),
            (1, [NoData, NoData, Unrelated], Unrelated),
        ] {
            let rules = Rules { domains: &domains, ndots, no_tld_query: false };
            let mut search = Search::new(b"a", rules);
            for miss in misses {
                let candidate = search.next_candidate().unwrap();
                search.missed(candidate, miss);
            }
            assert_eq!(search.next_candidate(), None);
            assert_eq!(search.verdict(), want, "{ndots} {misses:?}");
        }
    }
}
