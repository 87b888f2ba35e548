//! (being written)
/// Options.
pub struct Options {
    /// .
    pub ndots: u8,
    /// .
    pub timeout: u32,
    /// .
    pub attempts: u32,
    /// .
    pub rotate: bool,
    /// .
    pub use_vc: bool,
    /// .
    pub edns0: bool,
    /// .
    pub trust_ad: bool,
    /// .
    pub no_aaaa: bool,
    /// .
    pub no_tld_query: bool,
    /// .
    pub single_request: bool,
    /// .
    pub single_request_reopen: bool,
}
