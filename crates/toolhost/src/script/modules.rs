//! What `import` finds: files of the package, the builtin modules, nothing else.

use std::fs;
use std::path::{Component, Path, PathBuf};

use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Exception, Module};

use super::engine::PRELUDE;
use super::transpile;

const MAX_MODULE_BYTES: u64 = 1024 * 1024;
/// Tried in this order behind a path without extension.
const EXTENSIONS: [&str; 6] = ["ts", "mts", "tsx", "js", "mjs", "json"];

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("js/modules/", $name, ".js")))),*]
    };
}

/// Name of the file below `js/modules` and its text.
const BUILTINS: &[(&str, &str)] = builtin![
    "assert",
    "buffer",
    "crypto",
    "events",
    "fs",
    "fs_promises",
    "os",
    "path",
    "process",
    "timers",
    "timers_promises",
    "url",
    "util",
    "typebox",
    "pi_agent_core",
    "pi_ai",
    "pi_coding_agent",
    "pi_tui",
];

const PREFIX: &str = "builtin:";

/// The builtin module that a specifier names.
fn builtin(specifier: &str) -> Option<&'static str> {
    let package = match specifier {
        "@sinclair/typebox" => Some("typebox"),
        "@mariozechner/pi-ai" => Some("pi_ai"),
        "@mariozechner/pi-coding-agent" => Some("pi_coding_agent"),
        "@mariozechner/pi-agent-core" => Some("pi_agent_core"),
        "@mariozechner/pi-tui" => Some("pi_tui"),
        _ => None,
    };
    if package.is_some() {
        return package;
    }
    let name = match specifier.strip_prefix("node:").unwrap_or(specifier) {
        "fs/promises" => "fs_promises",
        "timers/promises" => "timers_promises",
        "path/posix" => "path",
        name => name,
    };
    let is_node = !name.starts_with("pi_") && name != "typebox";
    BUILTINS.iter().find(|(known, _)| is_node && *known == name).map(|(known, _)| *known)
}

/// The modules of one package.
#[derive(Clone)]
pub(super) struct Modules {
    /// Real path.
    directory: PathBuf,
}

impl Modules {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The real path of the entry module.
    pub(super) fn entry(&self, entrypoint: &str) -> Result<String, String> {
        if entrypoint.contains('\0') || Path::new(entrypoint).is_absolute() {
            return Err(format!("the entrypoint '{entrypoint}' is not a relative path"));
        }
        self.find(&self.directory.join(entrypoint)).ok_or_else(|| format!("the entrypoint '{entrypoint}' does not exist in the package"))
    }

    fn resolve_text(&self, base: &str, name: &str) -> Result<String, String> {
        if base == PRELUDE && Path::new(name).is_absolute() {
            return Ok(name.to_owned());
        }
        if let Some(builtin) = builtin(name) {
            return Ok(format!("{PREFIX}{builtin}"));
        }
        if name.starts_with("./") || name.starts_with("../") || name == "." || name == ".." {
            let parent = Path::new(base).parent().filter(|parent| parent.starts_with(&self.directory));
            return parent
                .and_then(|parent| self.find(&parent.join(name)))
                .ok_or_else(|| format!("'{name}' does not exist in the package (imported by {})", self.shown(base)));
        }
        Err(format!("'{name}' is not available in the tool runtime (imported by {})", self.shown(base)))
    }

    /// The file that a path without or with extension means, if it lies in the package.
    fn find(&self, path: &Path) -> Option<String> {
        let path = normalize(path)?;
        let mut candidates = vec![path.clone()];
        if let Some(stem) = path.extension().and_then(|extension| extension.to_str()) {
            // TypeScript lets a source import the name of its output.
            let source = match stem {
                "js" => Some("ts"),
                "mjs" => Some("mts"),
                _ => None,
            };
            candidates.extend(source.map(|source| path.with_extension(source)));
        }
        let appended = |extension: &&str| PathBuf::from(format!("{}.{extension}", path.display()));
        candidates.extend(EXTENSIONS.iter().map(appended));
        candidates.extend(EXTENSIONS.iter().map(|extension| path.join(format!("index.{extension}"))));
        candidates.into_iter().find_map(|candidate| {
            let real = candidate.canonicalize().ok().filter(|real| real.starts_with(&self.directory) && real.is_file())?;
            real.to_str().map(str::to_owned)
        })
    }

    /// JavaScript text of a file of the package.
    fn source(&self, path: &str) -> Result<String, String> {
        let shown = self.shown(path);
        let failed = |error: std::io::Error| format!("{shown} could not be read: {error}");
        if fs::metadata(path).map_err(failed)?.len() > MAX_MODULE_BYTES {
            return Err(format!("{shown} is larger than {MAX_MODULE_BYTES} bytes"));
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        match Path::new(path).extension().and_then(|extension| extension.to_str()) {
            Some("json") => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(value) => Ok(format!("export default {value};")),
                Err(error) => Err(format!("{shown}: {error}")),
            },
            Some("ts" | "mts" | "tsx") => transpile::to_javascript(Path::new(path), &text).map_err(|error| format!("{shown}: {error}")),
            _ => Ok(text),
        }
    }

    fn shown<'a>(&self, path: &'a str) -> &'a str {
        self.directory.to_str().and_then(|directory| path.strip_prefix(directory)).map_or(path, |rest| rest.trim_start_matches('/'))
    }
}

impl Resolver for Modules {
    fn resolve<'js>(&mut self, ctx: &Ctx<'js>, base: &str, name: &str, _: Option<ImportAttributes<'js>>) -> rquickjs::Result<String> {
        self.resolve_text(base, name).map_err(|message| Exception::throw_message(ctx, &message))
    }
}

impl Loader for Modules {
    fn load<'js>(&mut self, ctx: &Ctx<'js>, name: &str, _: Option<ImportAttributes<'js>>) -> rquickjs::Result<Module<'js, Declared>> {
        if let Some(builtin) = name.strip_prefix(PREFIX) {
            let (_, source) = BUILTINS.iter().find(|(known, _)| *known == builtin).expect("only known modules are resolved");
            return Module::declare(ctx.clone(), name, *source);
        }
        let source = self.source(name).map_err(|message| Exception::throw_message(ctx, &message))?;
        let module = Module::declare(ctx.clone(), name, source)?;
        let meta = module.meta()?;
        meta.set("url", format!("file://{name}"))?;
        meta.set("filename", name)?;
        meta.set("dirname", Path::new(name).parent().and_then(Path::to_str).unwrap_or("/"))?;
        Ok(module)
    }
}

fn normalize(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => clean.pop().then_some(())?,
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_find_sources_with_or_without_extension_and_nothing_outside() {
        let directory = tempfile::tempdir().expect("temp");
        let root = directory.path().canonicalize().expect("real").join("package");
        for file in ["index.ts", "lib/a.ts", "lib/b.mjs", "deep/index.ts", "data.json"] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("parent")).expect("mkdir");
            fs::write(path, "").expect("writes");
        }
        fs::write(directory.path().join("outside.ts"), "").expect("writes");
        std::os::unix::fs::symlink(directory.path().join("outside.ts"), root.join("link.ts")).expect("link");
        let modules = Modules::new(root.clone());
        let base = modules.entry("index.ts").expect("entry");
        for (name, file) in [
            ("./lib/a", "lib/a.ts"),
            ("./lib/a.js", "lib/a.ts"),
            ("./lib/b.mjs", "lib/b.mjs"),
            ("./deep", "deep/index.ts"),
            ("./data.json", "data.json"),
        ] {
            assert_eq!(modules.resolve_text(&base, name).expect(name), root.join(file).to_str().expect("utf-8"));
        }
        for name in [
            "../outside",
            "../outside.ts",
            "./link",
            "./none",
            "/etc/passwd",
            "lodash",
            "node:child_process",
            "node:pi_ai",
            "file:///etc/passwd",
        ] {
            let error = modules.resolve_text(&base, name).expect_err(name);
            assert!(error.contains(&format!("'{name}'")) && error.contains("index.ts"), "{error}");
        }
        assert_eq!(modules.resolve_text(&base, "fs/promises").expect("builtin"), "builtin:fs_promises");
        assert!(modules.entry("../outside.ts").is_err());
    }
}
