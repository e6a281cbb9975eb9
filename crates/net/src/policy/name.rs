//! Names that mean something inside, whatever DNS says.

/// Whether a normalized name (lower case, no trailing dot) is local by convention: one label, or below a suffix that is never public.
///
/// Sources: RFC 6761 (`localhost`, `test`, `invalid`), RFC 6762 (`local`), RFC 8375 (`home.arpa`), ICANN 2024 (`internal`),
/// RFC 9476 (`alt`), RFC 7686 (`onion`), and what routers and container engines use.
pub fn is_local_name(name: &str) -> bool {
    const SUFFIXES: [&str; 16] = [
        "localhost",
        "localdomain",
        "local",
        "internal",
        "intranet",
        "private",
        "corp",
        "home",
        "lan",
        "home.arpa",
        "invalid",
        "test",
        "alt",
        "onion",
        "in-addr.arpa",
        "ip6.arpa",
    ];
    if !name.contains('.') {
        return true;
    }
    SUFFIXES.iter().any(|suffix| name.strip_suffix(suffix).is_some_and(|front| front.is_empty() || front.ends_with('.')))
}
