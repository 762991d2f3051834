//! The folder that `lab new` writes: a small lab that works, to be changed into one's own.

use crate::{lab::Platform, words};

/// The name that stands in the template's files.
const PLACEHOLDER: &str = "new-lab";

/// The template's files by path, for each platform.
macro_rules! files {
    ($platform:literal, [$($path:literal),* $(,)?]) => {
        &[$(($path, include_str!(concat!("template/", $platform, "/", $path)))),*]
    };
}

const KUBERNETES: &[(&str, &str)] =
    files!("kubernetes", ["lab.yaml", "system/web.yaml", "controls/impostor.yaml", "debrief.md"]);
const DOCKER: &[(&str, &str)] = files!("docker", ["lab.yaml", "system/web.yaml", "controls/web.yaml", "debrief.md"]);
const ECS: &[(&str, &str)] = files!("ecs", ["lab.yaml", "debrief.md"]);

/// A name that a lab cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` cannot be a lab's name; use lower-case letters, digits and single dashes, {} at most: `two-words`",
    words::NAME_LENGTH_MAX
)]
pub struct NameError {
    pub name: String,
}

/// The files of a new lab: path within the lab's folder, and content. The lab lints clean.
///
/// # Errors
/// The name is not one that a lab can have.
pub fn template(name: &str, platform: Platform) -> Result<Vec<(String, String)>, NameError> {
    if !words::is_kebab(name) || name.len() > words::NAME_LENGTH_MAX {
        return Err(NameError { name: name.to_owned() });
    }
    let files = match platform {
        Platform::Kubernetes => KUBERNETES,
        Platform::Docker => DOCKER,
        Platform::Ecs => ECS,
    };
    Ok(files.iter().map(|(path, text)| ((*path).to_owned(), text.replace(PLACEHOLDER, name))).collect())
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, sync::Arc};

    use super::*;
    use crate::{LabSource, embedded, lint};

    #[test]
    fn a_new_lab_lints_clean() {
        for platform in Platform::ALL {
            let files = template("my-first-lab", platform).unwrap();
            let files = files.into_iter().map(|(path, text)| (path, Cow::Owned(text.into_bytes()))).collect();
            let source = LabSource::from_files("labs/my-first-lab", files, Arc::new(embedded::houses()));
            let problems: Vec<String> = lint::lint(&source, &|_| Vec::new()).iter().map(ToString::to_string).collect();
            assert!(problems.is_empty(), "{}", problems.join("\n"));
            assert_eq!(source.load().unwrap().id(), "my-first-lab");
        }
    }

    #[test]
    fn the_template_has_every_file_of_its_folder() {
        for (platform, files) in [(Platform::Kubernetes, KUBERNETES), (Platform::Docker, DOCKER)] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("template").join(platform.as_str());
            let source = LabSource::from_folder(&folder, Arc::default()).unwrap();
            let mut listed: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
            listed.sort_unstable();
            assert_eq!(source.files().keys().collect::<Vec<_>>(), listed);
        }
    }

    #[test]
    fn refuses_a_name_that_is_none() {
        for name in ["", "My Lab", "../x", "a_b", &"a".repeat(49)] {
            assert!(template(name, Platform::Docker).is_err(), "{name}");
        }
        assert_eq!(
            template("My Lab", Platform::Docker).unwrap_err().to_string(),
            "`My Lab` cannot be a lab's name; use lower-case letters, digits and single dashes, 48 at most: `two-words`"
        );
    }
}
