//! `### Skills`: names and descriptions; the bodies are read on demand.

use super::SkillText;
use super::tools::one_line;

pub(super) fn section(skills: &[SkillText]) -> Option<String> {
    if skills.is_empty() {
        return None;
    }
    let lines: Vec<_> = skills
        .iter()
        .map(|skill| {
            let description = if skill.description.is_empty() { String::new() } else { format!(": {}", one_line(&skill.description)) };
            format!("- **{0}** (`.pi/skills/{0}/SKILL.md`){description}", skill.package)
        })
        .collect();
    Some(format!(
        "### Skills\n\nBefore you do what a skill covers, read its SKILL.md with `read`. Paths inside it are relative to its directory.\n\n{}",
        lines.join("\n")
    ))
}
