//! Which paths may stand in a package.

use super::{MAX_PATH_BYTES, MAX_PATH_DEPTH};

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    #[error("is empty")]
    Empty,
    #[error("is longer than {MAX_PATH_BYTES} bytes")]
    TooLong,
    #[error("has more than {MAX_PATH_DEPTH} segments")]
    TooDeep,
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("is absolute")]
    Absolute,
    #[error("holds a backslash or a control character")]
    Character,
    #[error("has an empty segment, or one that is . or ..")]
    Segment,
}

/// Checks a path of a file within a package (AFPS §8.1): relative, forward slashes, no `.` or `..`, bounded.
pub fn check_path(path: &str) -> Result<(), PathProblem> {
    if path.is_empty() {
        return Err(PathProblem::Empty);
    }
    if path.len() > MAX_PATH_BYTES {
        return Err(PathProblem::TooLong);
    }
    let has_drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with('/') || has_drive {
        return Err(PathProblem::Absolute);
    }
    if path.contains(|letter: char| letter.is_control() || letter == '\\') {
        return Err(PathProblem::Character);
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return Err(PathProblem::Segment);
    }
    if path.split('/').count() > MAX_PATH_DEPTH {
        return Err(PathProblem::TooDeep);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_rules() {
        for good in ["manifest.json", "scripts/a b.py", "…/ü.md", "ab:c", ".hidden/x", "..x"] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for (bad, problem) in [
            ("", PathProblem::Empty),
            ("/etc/passwd", PathProblem::Absolute),
            ("C:/x", PathProblem::Absolute),
            ("c:x", PathProblem::Absolute),
            ("..", PathProblem::Segment),
            ("a/../b", PathProblem::Segment),
            ("./a", PathProblem::Segment),
            ("a//b", PathProblem::Segment),
            ("a/", PathProblem::Segment),
            ("a\\..\\b", PathProblem::Character),
            ("a\0.md", PathProblem::Character),
            ("a\nb", PathProblem::Character),
        ] {
            assert_eq!(check_path(bad), Err(problem), "{bad:?}");
        }
        assert_eq!(check_path(&"a".repeat(256)), Err(PathProblem::TooLong));
        assert_eq!(check_path(&vec!["a"; 17].join("/")), Err(PathProblem::TooDeep));
        assert_eq!(check_path(&vec!["a"; 16].join("/")), Ok(()));
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_below_any_folder(path in "[a./\\\\]{0,12}") {
            if check_path(&path).is_ok() {
                let joined = std::path::Path::new("/root").join(&path);
                prop_assert!(joined.starts_with("/root"));
                prop_assert!(joined.components().all(|part| part != std::path::Component::ParentDir));
            }
        }
    }
}
