//! The search list, beside a second reading of resolv.conf(5).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustdns::config::resolv::Options;
use rustdns::rules::search::{Candidate, Miss, Rules, Search};

use crate::cases;

/// The names that are asked for one after the other when none of them exists.
///
/// resolv.conf(5): a name with at least `ndots` dots is tried as it is first, then each domain; one
/// with fewer the other way round; one that ends in a dot is never searched for. The root in the
/// list is the name as it is, which is asked for once. With `no-tld-query` a name without dots is
/// not asked for as it is, if there is a list. (resolver(3):) without RES_DEFNAMES names without
/// dots are not searched for; without RES_DNSRCH those with dots are not, others in one domain.
fn expected(name: &str, domains: &[String], options: &Options) -> Vec<String> {
    let dots = name.matches('.').count();
    let as_is = name.to_owned();
    if name.ends_with('.') {
        return vec![as_is];
    }
    let mut domains = domains;
    if options.no_search {
        domains = if dots > 0 { &[] } else { &domains[..domains.len().min(1)] };
    }
    if options.no_default_names && dots == 0 {
        domains = &[];
    }
    let mut names = Vec::new();
    if dots >= usize::from(options.ndots) {
        names.push(as_is.clone());
    }
    for domain in domains {
        let domain = domain.strip_prefix('.').unwrap_or(domain);
        names.push(if domain.is_empty() { as_is.clone() } else { format!("{name}.{domain}") });
    }
    if dots > 0 || domains.is_empty() || !options.no_tld_query {
        names.push(as_is.clone());
    }
    let mut seen = false;
    names.retain(|name| *name != as_is || !std::mem::replace(&mut seen, true));
    names
}

prop_compose! {
    fn options()(
        ndots in select(vec![0u8, 1, 2, 3, 15]),
        [no_tld_query, no_default_names, no_search] in [prop::bool::weighted(0.3), prop::bool::weighted(0.1), prop::bool::weighted(0.1)],
    ) -> Options {
        Options { ndots, no_tld_query, no_default_names, no_search, ..Options::default() }
    }
}

fn domains() -> impl Strategy<Value = Vec<String>> {
    vec(select(vec!["x", "y.z", ".", "", ".w", "x"]).prop_map(str::to_owned), 0..5)
}

const NAMES: &[&str] = &["a", "a.b", "a.b.c", "a.", "a.b.", ".", "", "a..b"];

proptest! {
    #![proptest_config(cases(4000))]

    /// Would find: a candidate too many or too few, one asked for twice, the wrong end of the list first.
    #[test]
    fn candidates(name in select(NAMES.to_vec()), domains in domains(), options in options()) {
        let list: Vec<Box<[u8]>> = domains.iter().map(|domain| domain.as_bytes().into()).collect();
        let mut search = Search::new(name.as_bytes(), Rules::new(&options, &list, name.as_bytes()));
        let mut asked = Vec::new();
        while let Some(candidate) = search.next_candidate() {
            asked.push(match candidate {
                Candidate::AsIs => name.to_owned(),
                Candidate::Under(domain) => format!("{name}.{}", str::from_utf8(domain).unwrap()),
            });
            search.missed(candidate, Miss::NoName);
            prop_assert!(asked.len() <= domains.len() + 1, "the search ends");
        }
        prop_assert_eq!(&asked, &expected(name, &domains, &options));
    }

    /// Whatever the servers say, the search ends, and what it comes to is something that one of them
    /// said. Would find: an outcome that is made up, or one that outlives a search which it ended.
    #[test]
    fn outcomes(
        name in select(NAMES.to_vec()),
        domains in domains(),
        options in options(),
        misses in vec(select(vec![Miss::NoName, Miss::NoData, Miss::ServFail, Miss::Silent,
            Miss::Unreachable, Miss::Final, Miss::Unrelated]), 8),
    ) {
        let list: Vec<Box<[u8]>> = domains.iter().map(|domain| domain.as_bytes().into()).collect();
        let mut search = Search::new(name.as_bytes(), Rules::new(&options, &list, name.as_bytes()));
        let mut told = Vec::new();
        for miss in misses {
            let Some(candidate) = search.next_candidate() else { break };
            prop_assert!(!told.iter().any(|m| matches!(m, Miss::Unreachable | Miss::Unrelated)));
            search.missed(candidate, miss);
            told.push(miss);
        }
        let verdict = search.verdict();
        prop_assert!(told.contains(&verdict) || (told.is_empty() && verdict == Miss::NoName));
        if let Some(ends @ (Miss::Unreachable | Miss::Unrelated)) = told.last() {
            prop_assert_eq!(verdict, *ends);
            prop_assert_eq!(search.next_candidate(), None);
        }
    }
}
