//! The frontmatter of `SKILL.md`: YAML between two lines of `---`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml_ng::Value;

/// What a skill says of itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Frontmatter {
    /// `[a-z0-9-]`, 1 to 64 characters.
    pub name: String,
    /// At most 1024 characters. Without one the model cannot know when to use the skill, so it is not offered.
    pub description: Option<String>,
    pub license: Option<String>,
    pub compatibility: Option<String>,
    /// Hides the skill from the prompt; it can still be read by path.
    #[serde(default)]
    pub disable_model_invocation: bool,
    /// Everything else, such as `metadata` and `allowed-tools`.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
}

/// Why a `SKILL.md` is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SkillError {
    #[error("the file does not begin with frontmatter between two lines of ---")]
    NoFrontmatter,
    #[error("the frontmatter is larger than {MAX_FRONTMATTER} bytes")]
    TooLarge,
    #[error("the frontmatter is not valid YAML: {0}")]
    Yaml(#[source] serde_yaml_ng::Error),
    #[error("`name` must be 1 to 64 lower-case letters, digits and dashes")]
    Name,
    #[error("`description` must have at most 1024 characters")]
    Description,
}

const MAX_FRONTMATTER: usize = 64 * 1024;

impl Frontmatter {
    /// Reads the frontmatter of a `SKILL.md`. A byte order mark and CRLF are accepted.
    pub fn parse(skill_md: &str) -> Result<Self, SkillError> {
        let yaml = split(skill_md).ok_or(SkillError::NoFrontmatter)?.0;
        if yaml.len() > MAX_FRONTMATTER {
            return Err(SkillError::TooLarge);
        }
        let frontmatter: Self = serde_yaml_ng::from_str(yaml).map_err(SkillError::Yaml)?;
        let is_name_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if frontmatter.name.is_empty() || frontmatter.name.len() > 64 || !frontmatter.name.bytes().all(is_name_byte) {
            return Err(SkillError::Name);
        }
        if frontmatter.description.as_ref().is_some_and(|text| text.chars().count() > 1024) {
            return Err(SkillError::Description);
        }
        Ok(frontmatter)
    }
}

/// Splits a `SKILL.md` into its frontmatter and its body; `None` where it has no frontmatter.
pub fn split(skill_md: &str) -> Option<(&str, &str)> {
    let text = skill_md.strip_prefix('\u{FEFF}').unwrap_or(skill_md);
    let inner = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut start = 0;
    for line in inner.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&inner[..start], &inner[start + line.len()..]));
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn yaml_is_read_as_yaml() {
        let text = "---\nname: pdf-forms\ndescription: >\n  Fills in\n  forms: all of them.\nallowed-tools: [read, bash]\nmetadata:\n  version: 2\n---\n# Body\n---\n";
        let skill = Frontmatter::parse(text).expect("valid");
        assert_eq!(skill.name, "pdf-forms");
        assert_eq!(skill.description.as_deref(), Some("Fills in forms: all of them.\n"));
        assert!(skill.rest.contains_key("allowed-tools") && skill.rest.contains_key("metadata"));
        assert_eq!(split(text).expect("has frontmatter").1, "# Body\n---\n");
        let windows = Frontmatter::parse("\u{FEFF}---\r\nname: a\r\ndisable-model-invocation: true\r\n---\r\nx").expect("valid");
        assert!(windows.disable_model_invocation && windows.description.is_none());
    }

    #[test]
    fn what_is_refused() {
        for text in ["", "# no frontmatter", "---\nname: a\n", "--- \nname: a\n---\n", "x\n---\nname: a\n---\n"] {
            assert!(matches!(Frontmatter::parse(text), Err(SkillError::NoFrontmatter)), "{text:?}");
        }
        for text in ["---\ndescription: x\n---\n", "---\nname: [a]\n---\n", "---\na: b: c\n---\n", "---\n- name\n---\n", "---\n---\n"] {
            assert!(matches!(Frontmatter::parse(text), Err(SkillError::Yaml(_))), "{text:?}");
        }
        for name in ["My Skill", "a_b", "../x", "\"\"", &"a".repeat(65)] {
            assert!(matches!(Frontmatter::parse(&format!("---\nname: {name}\n---\n")), Err(SkillError::Name)), "{name}");
        }
        let long = format!("---\nname: a\ndescription: {}\n---\n", "d".repeat(1025));
        assert!(matches!(Frontmatter::parse(&long), Err(SkillError::Description)));
        let huge = format!("---\nname: a\n# {}\n---\n", "d".repeat(MAX_FRONTMATTER));
        assert!(matches!(Frontmatter::parse(&huge), Err(SkillError::TooLarge)));
    }

    #[test]
    fn an_alias_bomb_ends() {
        let mut text = String::from("---\nname: a\nx0: &x0 [1,1,1,1,1,1,1,1,1]\n");
        for level in 1..12 {
            let alias = format!("*x{}", level - 1);
            text.push_str(&[format!("x{level}: &x{level} ["), vec![alias; 8].join(","), "]\n".to_owned()].concat());
        }
        text.push_str("---\n");
        assert!(matches!(Frontmatter::parse(&text), Err(SkillError::Yaml(_))));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(body in "(?s).{0,200}") {
            drop(Frontmatter::parse(&format!("---\n{body}\n---\n")));
            drop(Frontmatter::parse(&body));
        }
    }
}
