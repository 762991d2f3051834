//! The catalogue: the program's labs, a folder's labs, and names that nobody has.

use super::*;

/// The labs that must load and lint clean.
fn valid() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lint/valid")
}

#[test]
fn the_programs_own_labs_and_house_rules_can_be_read() {
    for source in Catalogue::embedded().list() {
        if let Err(problems) = source.load() {
            panic!("{problems}");
        }
    }
    for (platform, text) in &embedded::houses().rules {
        let (rules, problems) = text.read(*platform);
        assert!(problems.is_empty(), "{problems:?}");
        assert!(!rules.is_empty(), "{platform:?}");
    }
    assert_eq!(embedded::houses().rules.len(), Platform::ALL.len());
}

#[test]
fn finds_labs_of_a_folder() {
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&valid()).unwrap();
    assert_eq!(catalogue.find("page-not-there").unwrap().platform(), Some(Platform::Docker));
    assert!(catalogue.find("docker/page-not-there").is_ok());
    assert_eq!(
        catalogue.find("page-not-ther").unwrap_err().to_string(),
        "there is no lab `page-not-ther`; did you mean `page-not-there`?"
    );
    assert_eq!(
        catalogue.find("elephant").unwrap_err().to_string(),
        "there is no lab `elephant`; `breakfix list` shows all"
    );
    assert!(catalogue.find("kubernetes/page-not-there").is_err());
}

#[test]
fn takes_the_folder_of_one_lab() {
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(&valid().join("docker/page-not-there")).unwrap();
    assert_eq!(catalogue.list().count(), 1);
    assert_eq!(catalogue.find("page-not-there").unwrap().load().unwrap().id(), "page-not-there");
}

#[test]
fn says_when_a_folder_is_none_or_empty() {
    let folder = tempfile::tempdir().unwrap();
    let mut catalogue = Catalogue::default();
    let empty = catalogue.add_folder(folder.path()).unwrap_err().to_string();
    assert!(empty.ends_with("holds no labs; a lab is a folder <platform>/<name>/ with a lab.yaml"), "{empty}");
    let missing = catalogue.add_folder(&folder.path().join("x")).unwrap_err().to_string();
    assert!(missing.ends_with("cannot be read; check the path and its permissions"), "{missing}");
}

#[test]
fn asks_which_platform_when_two_have_the_name() {
    let folder = tempfile::tempdir().unwrap();
    for platform in ["docker", "kubernetes"] {
        let lab = folder.path().join(platform).join("twin");
        fs::create_dir_all(&lab).unwrap();
        fs::write(lab.join("lab.yaml"), format!("platform: {platform}\n")).unwrap();
    }
    let mut catalogue = Catalogue::default();
    catalogue.add_folder(folder.path()).unwrap();
    assert_eq!(
        catalogue.find("twin").unwrap_err().to_string(),
        "`twin` is a lab of kubernetes and of docker; write `kubernetes/twin`"
    );
    assert_eq!(catalogue.find("docker/twin").unwrap().platform(), Some(Platform::Docker));
}

#[test]
fn the_digest_changes_with_any_byte_and_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let lab = folder.path().join("docker/x");
    fs::create_dir_all(lab.join("system")).unwrap();
    let digest = || LabSource::from_folder(&lab, Arc::default()).unwrap().digest();
    fs::write(lab.join("lab.yaml"), "a").unwrap();
    let first = digest();
    assert_eq!(first.len(), 64);
    assert_eq!(first, digest());
    fs::write(lab.join("lab.yaml"), "b").unwrap();
    assert_ne!(first, digest());
    fs::rename(lab.join("lab.yaml"), lab.join("system/lab.yaml")).unwrap();
    assert_ne!(first, digest());
}

#[test]
fn hidden_files_are_the_labs_only_where_the_learner_works() {
    let folder = tempfile::tempdir().unwrap();
    for path in [
        ".hidden",
        "system/.web.yaml.swp",
        "work/.dockerignore",
        "work/.cache/a",
        "work/.git/HEAD",
        "work/a~",
        "work/b",
    ] {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "").unwrap();
    }
    let source = LabSource::from_folder(folder.path(), Arc::default()).unwrap();
    assert_eq!(source.files().keys().collect::<Vec<_>>(), ["work/.cache/a", "work/.dockerignore", "work/b"]);
}

#[cfg(unix)]
#[test]
fn does_not_follow_links() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("lab.yaml")).unwrap();
    let source = LabSource::from_folder(folder.path(), Arc::default()).unwrap();
    assert!(source.files().is_empty());
    assert!(source.problems()[0].to_string().ends_with("this is not a plain file; replace the link by the file"));
}

#[test]
fn a_lab_inside_the_program_has_the_digest_of_its_folder() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for inside in Catalogue::embedded().list() {
        let outside = LabSource::from_folder(&repository.join(inside.root()), Arc::new(embedded::houses())).unwrap();
        assert_eq!(inside.digest(), outside.digest(), "{}", inside.root());
    }
}

/// A session knows the folder of its lab alone; what lies beside that folder is part of the lab all the same.
#[test]
fn the_folder_of_one_lab_shares_what_lies_beside_it() {
    let labs = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = labs.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("docker/mine/lab.yaml", "platform: docker\n");
    write("docker/base/own/part.yaml", "kind: Volume\nname: v\n");
    let digest = |folder: &Path| {
        let mut catalogue = Catalogue::default();
        catalogue.add_folder(folder).unwrap();
        catalogue.find("mine").unwrap().digest()
    };
    assert_eq!(digest(labs.path()), digest(&labs.path().join("docker/mine")));
}

#[test]
fn only_the_shared_parts_that_a_lab_takes_change_it() {
    let labs = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = labs.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("docker/mine/lab.yaml", "platform: docker\nbase: {own: [part]}\n");
    for part in ["always", "part", "other"] {
        write(&format!("docker/base/own/{part}.yaml"), "kind: Volume\nname: v\n");
    }
    let digest = || {
        let mut catalogue = Catalogue::default();
        catalogue.add_folder(labs.path()).unwrap();
        catalogue.find("mine").unwrap().digest()
    };
    let first = digest();
    for unused in ["docker/base/own/other.yaml", "docker/base/another/part.yaml", "ecs/base/own/part.yaml"] {
        write(unused, "kind: Volume\nname: another\n");
        assert_eq!(digest(), first, "{unused}");
    }
    for used in ["docker/base/own/always.yaml", "docker/base/own/part.yaml"] {
        let before = digest();
        write(used, "kind: Volume\nname: another\n");
        assert_ne!(digest(), before, "{used}");
    }
}
