//! The little of a `Cargo.toml` that the layer check needs: the package's name and what it depends on.
//!
//! Reads the forms that Cargo manifests use for dependencies (`a = "1"`, `a.workspace = true`, `a = { … }` over several lines,
//! `[dependencies.a]`, `[target.'…'.dependencies]`, `package = "…"` renames), not all of TOML.

/// Which table a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// One entry of a dependency table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's real name, with `package = "…"` resolved.
    pub(crate) package: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// Empty when the file names no package.
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    /// Whether `[lints] workspace = true` stands.
    pub(crate) inherits_lints: bool,
}

/// Where the lines below a `[header]` belong.
enum Section {
    Package,
    Lints,
    Dependencies(Kind),
    /// `[dependencies.<name>]`: the index of its entry.
    OneDependency(usize),
    Other,
}

impl Manifest {
    pub(crate) fn parse(text: &str) -> Self {
        let mut manifest = Self::default();
        let mut section = Section::Other;
        for line in logical_lines(text) {
            if let Some(header) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = manifest.enter(header);
            } else if let Some((key, value)) = line.split_once('=') {
                manifest.assign(&section, key.trim(), value.trim());
            }
        }
        manifest
    }

    fn enter(&mut self, header: &str) -> Section {
        let parts = key_parts(header);
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["package"] => Section::Package,
            ["lints"] => Section::Lints,
            [table] | ["target", _, table] => kind_of(table).map_or(Section::Other, Section::Dependencies),
            [table, name] | ["target", _, table, name] => match kind_of(table) {
                Some(kind) => {
                    self.dependencies.push(Dependency { package: (*name).to_owned(), kind });
                    Section::OneDependency(self.dependencies.len() - 1)
                }
                None => Section::Other,
            },
            _ => Section::Other,
        }
    }

    fn assign(&mut self, section: &Section, key: &str, value: &str) {
        match section {
            Section::Package if key == "name" => unquote(value).clone_into(&mut self.name),
            Section::Lints if key == "workspace" => self.inherits_lints = value == "true",
            Section::OneDependency(index) if key == "package" => unquote(value).clone_into(&mut self.dependencies[*index].package),
            Section::Dependencies(kind) => {
                let name = key_parts(key).into_iter().next().unwrap_or_default();
                let package = renamed(value).map_or(name, str::to_owned);
                self.dependencies.push(Dependency { package, kind: *kind });
            }
            _ => {}
        }
    }
}

fn kind_of(table: &str) -> Option<Kind> {
    match table {
        "dependencies" => Some(Kind::Normal),
        "dev-dependencies" => Some(Kind::Dev),
        "build-dependencies" => Some(Kind::Build),
        _ => None,
    }
}

/// Lines without comments, with arrays and inline tables joined to one line.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending = String::new();
    let mut depth = 0usize;
    for raw in text.lines() {
        let mut quote = None;
        for character in raw.chars() {
            match (quote, character) {
                (None, '#') => break,
                (None, '"' | '\'') => quote = Some(character),
                (Some(open), _) if open == character => quote = None,
                (None, '[' | '{') => depth += 1,
                (None, ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            pending.push(character);
        }
        if depth == 0 {
            let line = std::mem::take(&mut pending);
            if !line.trim().is_empty() {
                lines.push(line.trim().to_owned());
            }
        }
    }
    lines
}

/// Splits a dotted key; quoted parts (`target.'cfg(unix)'`) keep their dots.
fn key_parts(key: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quote = None;
    for character in key.trim().chars() {
        match (quote, character) {
            (None, '.') => parts.push(String::new()),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => parts.last_mut().expect("starts with one part").push(character),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).collect()
}

fn unquote(value: &str) -> &str {
    value.trim_matches(['"', '\''])
}

/// The value of `package` inside an inline table.
fn renamed(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('{')?.strip_suffix('}')?;
    inside.split(',').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == "package").then(|| unquote(value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(text: &str) -> Vec<(String, Kind)> {
        Manifest::parse(text).dependencies.into_iter().map(|dependency| (dependency.package, dependency.kind)).collect()
    }

    #[test]
    fn reads_every_way_to_write_a_dependency() {
        let text = r#"
            [package]
            name = "sample" # the name
            [lints]
            workspace = true
            [dependencies]
            plain = "1"
            inherited.workspace = true
            inline = { version = "1", features = [
                "a", # with a bracket ]
                "b",
            ] }
            alias = { package = "real-one", version = "1" }
            "quoted" = "1"
            [dependencies.long]
            version = "1"
            package = "really-long"
            [target.'cfg(target_os = "linux")'.dependencies]
            linux = "1"
            [dev-dependencies]
            tests.workspace = true
            [build-dependencies]
            builds = "1"
            [features]
            extra = ["dep:plain"]
            [[bin]]
            name = "other"
        "#;
        let manifest = Manifest::parse(text);
        assert_eq!(manifest.name, "sample");
        assert!(manifest.inherits_lints);
        let expected = [
            ("plain", Kind::Normal),
            ("inherited", Kind::Normal),
            ("inline", Kind::Normal),
            ("real-one", Kind::Normal),
            ("quoted", Kind::Normal),
            ("really-long", Kind::Normal),
            ("linux", Kind::Normal),
            ("tests", Kind::Dev),
            ("builds", Kind::Build),
        ];
        assert_eq!(packages(text), expected.map(|(package, kind)| (package.to_owned(), kind)));
    }

    #[test]
    fn a_comment_is_no_dependency_and_a_hash_in_quotes_is_no_comment() {
        assert_eq!(packages("[dependencies]\n# store = \"1\"\n"), []);
        assert_eq!(packages("[dependencies]\na = { version = \"1#2\", package = \"b\" }"), [("b".to_owned(), Kind::Normal)]);
    }

    #[test]
    fn lints_are_inherited_only_when_said() {
        assert!(!Manifest::parse("[package]\nname = \"a\"\n[lints.clippy]\nworkspace = true").inherits_lints);
        assert!(!Manifest::parse("[lints]\nworkspace = false").inherits_lints);
    }
}
