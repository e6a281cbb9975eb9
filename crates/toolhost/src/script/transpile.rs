//! TypeScript to JavaScript: types go, enums, namespaces and parameter properties become code.

use std::path::Path;

use oxc::allocator::Allocator;
use oxc::codegen::Codegen;
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};

/// The parser recurses; deeper text would exhaust its stack. Handwritten code stays far below.
const MAX_DEPTH: usize = 256;

/// The JavaScript for a TypeScript module. The error names line and column.
pub(super) fn to_javascript(path: &Path, source: &str) -> Result<String, String> {
    refuse_deep(source)?;
    let source_type = SourceType::from_path(path).map_err(|error| error.to_string())?;
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, source_type).parse();
    refuse(source, parsed.diagnostics.iter())?;
    let mut program = parsed.program;
    let semantic = SemanticBuilder::new().with_check_syntax_error(true).with_excess_capacity(2.0).with_enum_eval(true).build(&program);
    refuse(source, semantic.diagnostics.iter())?;
    let scoping = semantic.semantic.into_scoping();
    let transformed = Transformer::new(&allocator, path, &TransformOptions::default()).build_with_scoping(scoping, &mut program);
    refuse(source, transformed.diagnostics.iter())?;
    Ok(Codegen::new().build(&program).code)
}

fn refuse<'a>(source: &str, diagnostics: impl Iterator<Item = &'a OxcDiagnostic>) -> Result<(), String> {
    let mut errors = diagnostics.filter(|diagnostic| diagnostic.severity == oxc::diagnostics::Severity::Error);
    let Some(first) = errors.next() else { return Ok(()) };
    let place = first.labels.first().map(|label| place(source, label.offset() as usize));
    Err(format!("syntax error{}: {}", place.unwrap_or_default(), first.message))
}

fn place(source: &str, offset: usize) -> String {
    let before = &source[..source.floor_char_boundary(offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!(" at {line}:{column}")
}

/// A rough count, blind to strings and comments: it only has to be small for real code and large for bombs.
fn refuse_deep(source: &str) -> Result<(), String> {
    let (mut depth, mut prefixes) = (0_usize, 0_usize);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'!' | b'~' | b'+' | b'-' => prefixes += 1,
            byte if byte.is_ascii_whitespace() => {}
            _ => prefixes = 0,
        }
        if depth > MAX_DEPTH || prefixes > 4 * MAX_DEPTH {
            return Err(format!("the code is nested deeper than {MAX_DEPTH} levels"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(source: &str) -> Result<String, String> {
        to_javascript(Path::new("a.ts"), source)
    }

    #[test]
    fn types_go_and_typescript_only_values_become_code() {
        let source = "import type { A } from 'a';\nimport { B } from 'b';\nexport enum E { X = 1, Y }\nnamespace N { export const z = 1; }\n\
                      export class C<T> { constructor(private readonly id: T, public b?: B) {} get(): T { return this.id!; } }\n\
                      export const s = { z: N.z } satisfies Record<string, number>;\nexport abstract class D { declare d: string; abstract e(): void; }";
        let code = strip(source).expect("strips");
        for gone in ["from 'a'", "from \"a\"", "from \"b\"", "satisfies", "private", "enum ", "namespace", "abstract", "<T>"] {
            assert!(!code.contains(gone), "{gone} in\n{code}");
        }
        assert!(code.contains("this.id = id") && code.contains("E[E[\"Y\"] = 2] = \"Y\""), "{code}");
    }

    #[test]
    fn an_error_names_its_place() {
        let error = strip("const a = 1;\nconst b = ;\n").expect_err("syntax");
        assert!(error.starts_with("syntax error at 2:11"), "{error}");
    }

    #[test]
    fn bombs_are_refused_before_they_reach_the_parser() {
        for bomb in
            ["(".repeat(100_000), "[{".repeat(50_000), format!("x = {}1", "!".repeat(100_000)), format!("x = {}1", "- ".repeat(100_000))]
        {
            assert!(strip(&bomb).expect_err("deep").contains("nested deeper"));
        }
    }
}
